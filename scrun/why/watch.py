"""What Slurm says of the job that somebody waits for at a terminal: asked now and then, and never awaited.

Each answer is a list of all jobs that wait, so it is asked for seldom: when the container's phase has changed, and
else every half minute.
"""

import time
from collections.abc import Callable

from actors.slurm.scheduler import Outlook
from proto.errors import ScrunError
from proto.life import journal, lifecycle
from scrun.box.box import Box

from . import inquiry
from .paragraph import ASKED

AGAIN = 30.0
"""Seconds from one question to the next."""


class Watch:
    """The last answer, and the question that is under way."""

    def __init__(self, container: Box, clock: Callable[[], float] = time.monotonic) -> None:
        """Args:
        container: that is waited for.
        clock: in seconds.
        """
        self._paths = container.paths
        self._clock = clock
        self._due = clock()
        self._phase = ""
        self._asked: inquiry.Inquiry[Outlook | None] | None = None
        self._said: Outlook | None = None

    def look(self, phase: str) -> Outlook | None:
        """What was said last, of a container in this phase; ask again if it is time."""
        if self._asked is not None and self._asked.over():
            self._said, self._asked = self._asked.close(), None
        if self._asked is None and phase in ASKED and (phase != self._phase or self._clock() >= self._due):
            self._phase, self._due = phase, self._clock() + AGAIN
            self._asked = self._ask()
        return self._said

    def _ask(self) -> inquiry.Inquiry[Outlook | None] | None:
        try:
            container = lifecycle.replay(journal.read(self._paths.journal))
        except (OSError, ScrunError):
            return None
        if container.creation is None:
            return None
        return inquiry.begin(self._paths.root, container.creation, container.job_id)

    def close(self) -> None:
        """End the question that is under way."""
        if self._asked is not None:
            self._asked.close()
            self._asked = None
