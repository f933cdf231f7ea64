"""Says how far the copy of an image has come: to the container's log, and to the state actor, who shows it.

The listener belongs to the thread that stages, since what copies is far below, and is used without a container, too.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar

from proto.life.progress import sentence

from .loglevel import Level, Log

Listener = Callable[[int, int, int, int, int], None]
"""Gets part, parts, files, size and total as ``sentence`` does."""
LISTENER: ContextVar[Listener | None] = ContextVar("staging-listener", default=None)
QUIET = 1.0
"""Seconds that a copy may take before anything is said of it."""
LOG_QUIET = 2.0


def progress_of(
    log: Log,
    total: Callable[[], int] = lambda: 0,
    part: int = 1,
    parts: int = 1,
    clock: Callable[[], float] = time.monotonic,
) -> Callable[[int, int], None]:
    """What is to be called with files and bytes as they become more.

    It speaks once a second at first, and then each time that a tenth more time has passed: a copy of an hour is some 60
    facts in the journal. The log hears of each doubling.

    Args:
        log: the container's.
        total: counts the bytes of the tree, which takes a walk: called once, if there is anything to be said at all;
            0 if they are not known.
        part: which tree it is.
        parts: of how many.
        clock: in seconds.

    """
    begun = clock()
    listener = LISTENER.get()
    next_word, next_line = QUIET, LOG_QUIET
    whole: int | None = None

    def tell(files: int, size: int) -> None:
        nonlocal next_word, next_line, whole
        passed = clock() - begun
        if passed < min(next_word, next_line):
            return
        if whole is None:
            whole = total()
        if passed >= next_word and listener is not None:
            next_word = passed + max(QUIET, passed / 10)
            listener(part, parts, files, size, whole)
        if passed >= next_line:
            next_line = 2 * passed
            words = sentence(part, parts, files, size, whole)
            log(Level.INFO, f"the image is copied for the nodes, for {passed:.0f} s so far: {words}")

    return tell
