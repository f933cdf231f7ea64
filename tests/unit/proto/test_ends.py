"""The history of ends: bounded, whole or not at all, and of no harm to anything else."""

from __future__ import annotations

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from proto.life import ends
from proto.life.container import Container
from proto.life.ending import Ending
from proto.value import replace
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

LIMITED = Ending("time-limit", 137, 9, "the job reached its time limit")


def ended(root: pathlib.Path, name: str, ending: Ending = LIMITED, cookie: str = "") -> Container:
    made = creation(root=str(root), id=name, cookie=cookie or f"c{name}", args=(b"secret-argument",))
    made = replace(made, environ=(b"TOKEN=secret-variable",), created=5.0)
    return Container(creation=made, ending=ending, job_id=7, nodes="node1", ran=True, finished=True)


def test_what_is_kept_is_read(tmp_path: pathlib.Path) -> None:
    ends.note(ended(tmp_path, "x"), 10.0)
    assert ends.names(str(tmp_path)) == ["x"]
    assert ends.read(str(tmp_path), "x") == ends.End("x", 5.0, 10.0, LIMITED, 7, "node1", ran=True)
    folder = tmp_path / ends.DIRECTORY
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"secret" not in file.read_bytes()


def test_the_newest_of_an_id_is_the_one(tmp_path: pathlib.Path) -> None:
    ends.note(ended(tmp_path, "x", cookie="a"), 10.0)
    ends.note(ended(tmp_path, "x", Ending("exited", 3), cookie="b"), 20.0)
    end = ends.read(str(tmp_path), "x")
    assert end is not None
    assert (end.ended, end.ending.exit_code) == (20.0, 3)


def test_a_container_that_has_not_ended_leaves_nothing(tmp_path: pathlib.Path) -> None:
    ends.note(replace(ended(tmp_path, "x"), ending=None), 10.0)
    ends.note(Container(), 10.0)
    assert list(tmp_path.iterdir()) == []


def test_no_more_are_kept_than_may_be(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "LIMIT", 3)
    folder = tmp_path / ends.DIRECTORY
    for number in range(6):
        ends.note(ended(tmp_path, f"x{number}"), float(number))
        # Their order by time, which a file system may keep more coarsely than this loop runs.
        os.utime(folder / f"x{number}.end", (number, number))
        if number == 1:
            (folder / "~killed").touch()
            os.utime(folder / "~killed", (0, 0))
    assert sorted(os.listdir(folder)) == ["x3.end", "x4.end", "x5.end"]


def test_no_file_is_longer_than_may_be(tmp_path: pathlib.Path) -> None:
    long = replace(ended(tmp_path, "x", replace(LIMITED, sentence="\U0001f40c" * 10**6)), nodes="n" * 10**6)
    ends.note(long, 10.0)
    (file,) = (tmp_path / ends.DIRECTORY).iterdir()
    assert file.stat().st_size < 16 << 10
    end = ends.read(str(tmp_path), "x")
    assert end is not None
    assert len(end.ending.sentence) == ends.TEXT_LIMIT


def test_many_writers_at_once(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ends, "LIMIT", 20)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ends.note(ended(tmp_path, f"x{number}"), 1.0), range(100)))
    kept = ends.names(str(tmp_path))
    assert 0 < len(kept) <= 20
    assert all(ends.read(str(tmp_path), name) for name in kept)
    assert len(os.listdir(tmp_path / ends.DIRECTORY)) == len(kept)


@pytest.mark.parametrize("call", ["open", "rename", "mkdir", "listdir"])
def test_a_disk_that_takes_nothing_fails_nobody(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    ends.note(ended(tmp_path, "x"), 10.0)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full)
        ends.note(ended(tmp_path, "y"), 20.0)
    end = ends.read(str(tmp_path), "x")
    assert end is not None
    assert end.ended == 10.0
    assert not [name for name in os.listdir(tmp_path / ends.DIRECTORY) if name.startswith("~")]


@pytest.mark.parametrize("text", [b"", b"[]", b"{", b"[" * 100_000, b'{"id": "x"}', b"\xff"])
def test_what_cannot_be_read_is_not_known(tmp_path: pathlib.Path, text: bytes) -> None:
    ends.note(ended(tmp_path, "x"), 10.0)
    (tmp_path / ends.DIRECTORY / "x.end").write_bytes(text)
    assert ends.read(str(tmp_path), "x") is None


def test_no_link_is_followed(tmp_path: pathlib.Path) -> None:
    elsewhere, root = tmp_path / "elsewhere", tmp_path / "root"
    elsewhere.mkdir()
    root.mkdir()
    (root / ends.DIRECTORY).symlink_to(elsewhere)
    ends.note(ended(root, "x"), 10.0)
    assert list(elsewhere.iterdir()) == []
    (root / ends.DIRECTORY).unlink()
    ends.note(ended(root, "y"), 10.0)
    (root / ends.DIRECTORY / "y.end").rename(elsewhere / "y.end")
    (root / ends.DIRECTORY / "y.end").symlink_to(elsewhere / "y.end")
    assert ends.read(str(root), "y") is None


def test_what_is_no_file_holds_nobody_up(tmp_path: pathlib.Path) -> None:
    ends.note(ended(tmp_path, "x"), 10.0)
    os.unlink(tmp_path / ends.DIRECTORY / "x.end")
    os.mkfifo(tmp_path / ends.DIRECTORY / "x.end")
    assert ends.read(str(tmp_path), "x") is None
    (tmp_path / ends.DIRECTORY / "y.end").mkdir()
    assert ends.read(str(tmp_path), "y") is None


@pytest.mark.parametrize("name", ["x" * 252, "x" * 255])
def test_an_id_whose_file_would_have_too_long_a_name(tmp_path: pathlib.Path, name: str) -> None:
    ends.note(ended(tmp_path, name), 10.0)
    assert os.listdir(tmp_path / ends.DIRECTORY) == []


def test_no_id_can_be_the_directory() -> None:
    from proto.errors import UsageError
    from proto.host.paths import check_id

    with pytest.raises(UsageError):
        check_id(ends.DIRECTORY)
