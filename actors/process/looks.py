"""When to look at what has no way of telling that it has changed."""


class Looks:
    """When to look again at a file that grows: soon at first, since most commands speak at once.

    What took long is known an eighth of that time later at most: with pauses that grow faster, on a busy machine
    the caller would wait for the pause, and not for the command.
    """

    FIRST = 0.01
    LAST = 1.0
    GROWTH = 1.125

    def __init__(self) -> None:
        self._pause = self.FIRST

    def next(self) -> float:
        """Seconds until the next look."""
        pause = self._pause
        self._pause = min(pause * self.GROWTH, self.LAST)
        return pause
