"""Figure 6: what a thousand containers of one user cost a command that looks at all of them, or makes one more."""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from typing import TYPE_CHECKING

from .rows import Row
from .verbs import IDLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench

NAME = "many"
COUNT = 1000
LIST_AIM = "<= 150 ms"
WORDS = {"list": LIST_AIM, "list --long": LIST_AIM, "list --format=json": LIST_AIM, "gc --dry-run": ""}
"""What is called, and what is aimed at."""
NOTE = (
    "a thousand: copies of the directory that one of them has, under other ids; those that run have the anchor of the "
    "one, and so are alive for whoever looks"
)


def measure(bench: Bench) -> Iterator[Row]:
    """With a thousand that run, and with a thousand that have ended and that nobody has deleted."""
    container = bench.container(*IDLE)
    try:
        container.create()
        container.start()
        alone = [bench.scrun("list").milliseconds for _ in range(bench.times(15, 2))]
        with _copies(bench, container.name):
            yield from _lists(bench, "running", alone)
        bench.scrun("kill", container.name, "KILL")
        container.wait()
        with _copies(bench, container.name):
            yield from _lists(bench, "ended", alone)
            beside = _creations(bench)
        yield Row(
            NAME, f"create beside {COUNT} ended", "ms", beside, "create alone", _creations(bench), "<= 1.1 x", NOTE
        )
    finally:
        container.remove()
        bench.processes.reap_strays()


def _lists(bench: Bench, what: str, alone: list[float]) -> Iterator[Row]:
    took: dict[str, list[float]] = {words: [] for words in WORDS}
    for _ in range(bench.times(15, 2)):
        for words, milliseconds in took.items():
            milliseconds.append(bench.scrun(*words.split()).milliseconds)
    for words, milliseconds in took.items():
        name = f"{COUNT} {what}: scrun {words}"
        yield Row(NAME, name, "ms", tuple(milliseconds), "list of one", tuple(alone), WORDS[words], NOTE)


def _creations(bench: Bench) -> tuple[float, ...]:
    took = []
    for _ in range(bench.times(10, 2)):
        container = bench.container("true")
        try:
            took.append(container.create().milliseconds)
        finally:
            container.remove()
    return tuple(took)


@contextlib.contextmanager
def _copies(bench: Bench, name: str) -> Iterator[None]:
    """All files of a container's directory but the sockets, a thousand times."""
    root = pathlib.Path(bench.root)
    files = {path.name: path.read_bytes() for path in (root / name).iterdir() if path.is_file()}
    state = files.pop("state.json").decode()
    made = [root / f"copy{number}" for number in range(COUNT - 1)]
    try:
        for directory in made:
            directory.mkdir(0o700)
            for file, data in files.items():
                (directory / file).write_bytes(data)
            changed = state.replace(f'"id": "{name}"', f'"id": "{directory.name}"', 1)
            (directory / "state.json").write_text(changed)
        yield
    finally:
        for directory in made:
            shutil.rmtree(directory, ignore_errors=True)
