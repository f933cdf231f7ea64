"""``stack``: what the threads of an actor are doing, also of one that is stuck."""

import os
import time
from collections.abc import Iterator

from proto.errors import DeadlineError, NotFoundError, UsageError, WrongStateError

from .command import Command, Question, Row
from .processes import catches

LOOK = 0.02
"""Seconds between two looks into the log; when it has not grown from one to the next, all has been said."""
DEADLINE = 2.0


def rows(question: Question) -> Iterator[Row]:
    """Signal the actor, and read what it writes into the log.

    Raises:
        UsageError: there is no such actor.
        WrongStateError: it is not there just now, or only begins.
        NotFoundError: there is no log any more.
        DeadlineError: it says nothing.

    """
    from actors.process.stacks import SIGNAL, read

    actors = {name: int(pid) for name, pid, *_, lease, _ in question.ask("tree").rows if lease or not int(pid)}
    pid = actors.get(question.argument)
    if pid is None:
        raise UsageError(f"stack wants the name of an actor: {', '.join(actors)}")
    if not catches(pid, SIGNAL):
        raise WrongStateError(f"{question.argument} is not running now")
    try:
        log = os.open(question.paths.log, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        raise NotFoundError(f"the log of container {question.id} is not there") from None
    try:
        begin = os.fstat(log).st_size
        os.kill(pid, SIGNAL)
        yield from read(_said(log, begin, question.argument))
    finally:
        os.close(log)


def _said(log: int, begin: int, actor: str) -> str:
    """What the log has got from there on, once it is quiet."""
    deadline = time.monotonic() + DEADLINE
    size = begin
    while True:
        time.sleep(LOOK)
        before, size = size, os.fstat(log).st_size
        if size == before > begin:
            return os.pread(log, size - begin, begin).decode(errors="replace")
        if time.monotonic() >= deadline:
            raise DeadlineError(f"{actor} does not tell what it does: it is frozen, or waits in the kernel")


COMMAND = Command(
    "stack",
    "what the threads of an actor are doing, also of one that is stuck",
    ("thread", "file", "line", "function"),
    rows,
    "the innermost call first; an actor that waits is in `get` of `inbox.py`. It stands in the container's log as well",
    argument="ACTOR",
)
