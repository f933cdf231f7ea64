import os
from pathlib import Path

from actors.staging.images.extent import bytes_in
from actors.staging.progress import LISTENER, progress_of
from proto.life.events import StagingProgress


class Copy:
    """A copy of a file a second, and what is said of it."""

    def __init__(self, listens: bool = True, total: int = 0, **more: int) -> None:
        self.now = 0.0
        self.counted = 0
        self._total = total
        self.lines: list[str] = []
        self.words: list[tuple[int, ...]] = []
        token = LISTENER.set((lambda *word: self.words.append(word)) if listens else None)
        self._tell = progress_of(lambda _, text: self.lines.append(text), self._count, **more, clock=lambda: self.now)
        LISTENER.reset(token)

    def _count(self) -> int:
        self.counted += 1
        return self._total

    def run(self, seconds: int) -> None:
        for second in range(1, seconds + 1):
            self.now = float(second)
            self._tell(second, second << 20)


def test_the_log_hears_of_each_doubling() -> None:
    copy = Copy(total=40 << 20)
    copy.run(19)
    assert copy.lines == [
        f"the image is copied for the nodes, for {n} s so far: {n} files, {n} of 40 MiB, {n * 100 // 40} %"
        for n in (2, 4, 8, 16)
    ]


def test_who_listens_hears_each_second_and_then_ever_less() -> None:
    copy = Copy(part=2, parts=3)
    copy.run(3600)
    assert copy.words[:2] == [(2, 3, n, n << 20, 0) for n in (1, 2)]
    assert 60 < len(copy.words) < 80


def test_the_bytes_are_counted_once_and_not_for_a_quick_copy() -> None:
    copy = Copy(total=40 << 20)
    copy.run(0)
    copy.now = 0.9
    copy._tell(5, 5)
    assert copy.counted == 0
    copy.run(19)
    assert copy.counted == 1


def test_nobody_has_to_listen() -> None:
    copy = Copy(listens=False)
    copy.run(5)
    assert (copy.words, len(copy.lines)) == ([], 2)


def test_the_sentences() -> None:
    assert StagingProgress(1, 1, 5, 3 << 20).sentence == "5 files, 3 MiB"
    assert StagingProgress(2, 7, 5, 3 << 20, 4 << 20).sentence == "layer 2 of 7: 5 files, 3 of 4 MiB, 75 %"
    assert StagingProgress(1, 1, 5, 5 << 20, 4 << 20).sentence.endswith("100 %")


def test_holes_do_not_count_and_hard_links_count_once(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/one").write_bytes(b"x" * 8192)
    os.link(tmp_path / "a/one", tmp_path / "a/b/two")
    (tmp_path / "link").symlink_to("a/one")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    assert bytes_in(str(tmp_path)) == 8192
    assert bytes_in(str(tmp_path / "nowhere")) == 0
