"""``stack``: what the threads of an actor are doing, also of one that is stuck."""

import os
import re
import time
from collections.abc import Iterator

from proto.errors import DeadlineError, NotFoundError, UsageError, WrongStateError

from .command import Command, Question, Row
from .processes import catches

LOOK = 0.02
"""Seconds between two looks into the log."""
DEADLINE = 2.0
OUTERMOST = "<module>"

Frame = tuple[str, str, int, str]
"""Thread, file, line, function."""
_THREAD = re.compile(r"(?:Current thread|Thread) (0x[0-9a-f]+).*\(most recent call first\):")
_FRAME = re.compile(r'  File "(.*)", line (\d+) in (.*)\n')


def rows(question: Question) -> Iterator[Row]:
    """Signal the actor, and read what it writes into the log.

    Raises:
        UsageError: there is no such actor.
        WrongStateError: it is not there just now, or only begins.
        NotFoundError: there is no log any more.
        DeadlineError: it says nothing.

    """
    from actors.process.stacks import SIGNAL

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
        yield from _said(log, begin, question.argument)
    finally:
        os.close(log)


def _said(log: int, begin: int, actor: str) -> list[Frame]:
    """What the log has got from there on, down to where the main thread, which comes last, has begun."""
    deadline = time.monotonic() + DEADLINE
    while True:
        time.sleep(LOOK)
        frames = read(os.pread(log, os.fstat(log).st_size - begin, begin).decode(errors="replace"))
        if frames and frames[-1][3] == OUTERMOST:
            return frames
        if time.monotonic() >= deadline:
            raise DeadlineError(f"{actor} does not tell what it does: it is frozen, or waits in the kernel")


def read(text: str) -> list[Frame]:
    """The frames in a piece of the log, thread by thread, the innermost first; other lines are passed over."""
    found = []
    thread = ""
    for line in text.splitlines(keepends=True):
        if match := _THREAD.match(line):
            thread = match[1]
        elif thread and (match := _FRAME.fullmatch(line)):
            found.append((thread, match[1], int(match[2]), match[3]))
    return found


COMMAND = Command(
    "stack",
    "what the threads of an actor are doing, also of one that is stuck",
    ("thread", "file", "line", "function"),
    rows,
    "the innermost call first; an actor that waits is in `get` of `inbox.py`. It stands in the container's log as well",
    argument="ACTOR",
)
