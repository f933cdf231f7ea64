"""What a container's processes take on this host: processor time, and memory. Looked at only while it is shown."""

import time
from collections.abc import Iterator
from typing import NamedTuple

from scrun.console.processes import children, cpu, memory

AGAIN = 5.0
"""Seconds from one look at the memory to the next: the kernel adds up each mapping (0.2 ms for a process)."""
AT_ONCE = 0.5
"""Seconds within which a second look sees the same: in so short a time the kernel's ticks of 10 ms are noise."""
FORGOTTEN = 10.0
"""Seconds after which a row that is not shown is forgotten."""
MOST = 256
"""Processes of one container that are looked at."""


class Load(NamedTuple):
    """Numbers of one container or process; None: not known, or not yet.

    Attributes:
        cpu: share of one processor since the last look, 1.0 for all of it.
        memory: KiB; of what is shared the part (PSS).

    """

    cpu: float | None = None
    memory: int | None = None


class _Look(NamedTuple):
    moment: float
    seconds: float
    weighed: float
    load: Load


class Loads:
    """Looks at trees of processes."""

    def __init__(self) -> None:
        self._looks: dict[tuple[int, bool], _Look] = {}

    def of(self, pid: int, *, alone: bool = False) -> Load:
        """Look at a process with all that descend from it, or at it alone."""
        if not pid:
            return Load()
        now = time.monotonic()
        before = self._looks.get((pid, alone))
        if before is not None and now - before.moment < AT_ONCE:
            return before.load
        family = [pid] if alone else list(family_of(pid))
        spent = sum(cpu(each, reaped=not alone) for each in family)
        if before is None or now - before.weighed >= AGAIN:
            weight, weighed = _sum(memory(each) for each in family), now
        else:
            weight, weighed = before.load.memory, before.weighed
        share = None if before is None else max(0.0, spent - before.seconds) / (now - before.moment)
        self._looks[pid, alone] = look = _Look(now, spent, weighed, Load(share, weight))
        return look.load

    def forget(self) -> None:
        """Forget what is not shown any more."""
        now = time.monotonic()
        self._looks = {key: look for key, look in self._looks.items() if now - look.moment < FORGOTTEN}


def family_of(pid: int) -> Iterator[int]:
    """A process and all that descend from it, parents first."""
    waiting = [pid]
    for _ in range(MOST):
        if not waiting:
            return
        found = waiting.pop(0)
        yield found
        waiting += children(found)


def _sum(numbers: Iterator[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
