"""Bytes per second, from counts that are told at most once a second and only when they have grown. Pure."""

EVERY = 1.0
"""Seconds between two counts of a stream that flows (``actors.stdio``)."""


class Meter:
    """One stream.

    Attributes:
        total: bytes that there were; None as long as none were told.

    """

    def __init__(self) -> None:
        self.total: int | None = None
        self._moment = 0.0
        self._rate = 0.0

    def count(self, now: float, total: int) -> None:
        """So many bytes there have been by now, in seconds since the epoch."""
        if self.total is not None and total >= self.total:
            passed = now - self._moment
            # After a silence the count is of what has flowed since its end, a second ago.
            self._rate = (total - self.total) / (passed if EVERY / 2 < passed < 2 * EVERY else EVERY)
        self.total, self._moment = total, now

    def rate(self, now: float) -> float:
        """Bytes per second; of a stream that has stopped none are told any more."""
        return self._rate if now - self._moment < 2 * EVERY else 0.0
