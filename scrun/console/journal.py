"""``journal``: what has happened to a container."""

import json
import os
from collections.abc import Iterator

from proto.errors import NotFoundError

from .command import Command, Question, Row
from .tap import listen


def rows(question: Question) -> Iterator[Row]:
    """The state actor's; of a container that has stopped, the file's.

    Raises:
        NotFoundError: the container is not there.

    """
    if question.follow:
        yield from _follow(question)
        return
    try:
        found = list(question.ask("journal").rows)
    except NotFoundError:
        file = _open(question)
        found = _read(file)
        os.close(file)
    yield from map(_row, range(1, len(found) + 1), found)


def _follow(question: Question) -> Iterator[Row]:
    """The file, read anew whenever the tap tells of something: none is missed, and none is shown twice.

    Held open, it can be read to its end also when the container has been deleted.
    """
    file = _open(question)
    shown = 0
    try:
        for _ in listen(question.paths, "fact."):
            found = _read(file)
            yield from map(_row, range(shown + 1, len(found) + 1), found[shown:])
            shown = len(found)
    finally:
        os.close(file)


def _open(question: Question) -> int:
    try:
        return os.open(question.paths.journal, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise NotFoundError(f"container {question.id} does not exist") from None


def _read(file: int) -> list[tuple[str, ...]]:
    from actors.state.inspection.journal import row
    from proto.life.journal import scan

    return [row(record) for _, record in scan(os.pread(file, os.fstat(file).st_size, 0))]


def _row(number: int, row: tuple[str, ...]) -> Row:
    time, event, data = row
    return number, float(time), event, json.loads(data)


COMMAND = Command(
    "journal",
    "what has happened; --follow goes on until it ends",
    ("number", "time", "event", "data"),
    rows,
    "the last event is where it stands. Also of a container that has stopped and was not deleted",
    live="follow",
)
