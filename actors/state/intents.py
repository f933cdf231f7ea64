"""What the state actor has asked of the others, who has heard it, and when it asks again. Pure, but for its clock."""

import time
from collections.abc import Callable, Container, Iterable

from proto.life.wants import Want

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds until an intent that its actor has not said to have heard is sent again, and again; the last value holds for
all later ones. One that was heard is lost only with the process that heard it, whose successor makes itself known."""


class _Asked:
    def __init__(self, due: float) -> None:
        self.id = ""
        self.times = 0
        self.due: float | None = due


class Intents:
    """Those that are wanted now."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._asked: dict[Want, _Asked] = {}

    def due(self, wanted: Iterable[Want], present: Container[str]) -> list[Want]:
        """Which of what is wanted is to be sent now; what is not wanted any more is forgotten.

        Args:
            wanted: what is wanted.
            present: the actors that are there, or will be. Who rests is asked when something has brought him back.

        """
        now = self._clock()
        self._asked = {want: self._asked.get(want) or _Asked(now) for want in wanted if want.actor in present}
        return [want for want, asked in self._asked.items() if asked.due is not None and asked.due <= now]

    def sent(self, want: Want, id_: str) -> None:
        """It has been sent, under this id of a message."""
        asked = self._asked[want]
        asked.id = id_
        asked.due = self._clock() + PAUSES[min(asked.times, len(PAUSES) - 1)]
        asked.times += 1

    def heard(self, id_: str | None) -> None:
        """Its actor has acted on the message of that id."""
        for asked in self._asked.values():
            if asked.id == id_:
                asked.due = None

    def forget(self, actor: str) -> None:
        """There is a new incarnation of the actor, or a new way to it: nothing that was asked before is sure."""
        self._asked = {want: asked for want, asked in self._asked.items() if want.actor != actor}

    def patience(self) -> float | None:
        """Seconds until something is to be sent again; None: all has been heard."""
        moments = [asked.due for asked in self._asked.values() if asked.due is not None]
        return max(0.0, min(moments) - self._clock()) if moments else None
