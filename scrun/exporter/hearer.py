"""What all containers say becomes changes of metrics."""

from collections.abc import Iterator

from scrun.tap.crowd import number
from scrun.tap.hearing import Gap

from .life import Life
from .metrics import Change


class Hearer:
    """The exporter as an audience of taps."""

    def __init__(self, since: float) -> None:
        """Args:
        since: when the exporter began, in seconds since the epoch.
        """
        self._since = since

    def listener(self, root: str, name: str) -> Life:
        """A container: which one is nothing for numbers."""
        del root, name
        return Life(self._since)

    def gap(self, gap: Gap) -> Iterator[Change]:
        """Something was not heard."""
        yield Change("scrun_tap_gaps_total", gap.why)
        if gap.lost:
            yield Change("scrun_tap_lost_messages_total", "", number(gap.lost))

    def refused(self) -> Iterator[Change]:
        """A message of another version of the tap, or nonsense."""
        yield Change("scrun_tap_refused_messages_total")
