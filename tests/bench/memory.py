"""Figure 4: what idle containers take of the submit host's memory, and what the hot verb takes beside them."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .measure import children, read_proc
from .rows import Row, parse_smaps
from .verbs import IDLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench, Container

NAME = "memory"
READY = re.compile(r"(\w+) is ready, incarnation \d+, pid (\d+)")
OURS = ("anchor", "guard", "state", "allocation", "stdio", "signals")
NOTE = (
    "PSS: a page shared by n processes counts 1/n in each; the interpreter's own pages are shared by all containers "
    "of the host, so that more of them take less each. srun's memory is besides."
)


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one process, in MB."""

    role: str
    pss: float
    dirty: float


def measure(bench: Bench) -> Iterator[Row]:
    """One container, then 8, then 32, all idle."""
    containers: list[Container] = []
    try:
        for count in (1, 8) if bench.quick else (1, 8, 32):
            _more(bench, containers, count)
            time.sleep(bench.times(10, 3) / 10)  # what happens late happens now
            yield from _rows(count, [_processes(container) for container in containers])
            yield _state_beside(bench, containers[0], count)
    finally:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda container: container.remove(), containers))
        bench.processes.reap_strays()


def _more(bench: Bench, containers: list[Container], count: int) -> None:
    def one(container: Container) -> None:
        container.create()
        container.start()

    new = [bench.container(*IDLE, debug=True) for _ in range(count - len(containers))]
    containers += new
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, new))


def _rows(count: int, measured: list[list[Memory]]) -> Iterator[Row]:
    ours = [[memory for memory in one if memory.role in OURS] for one in measured]
    total = tuple(sum(memory.pss for memory in one) for one in ours)
    dirty = tuple(sum(memory.dirty for memory in one) for one in ours)
    srun = tuple(sum(memory.pss for memory in one if memory.role not in OURS) for one in measured)
    many = f"{count} idle"
    yield Row(NAME, f"{many}: PSS per container", "MB", total, "srun's PSS", srun, "<= 35", NOTE)
    yield Row(NAME, f"{many}: private dirty", "MB", dirty)
    by_role: dict[str, list[Memory]] = defaultdict(list)
    for one in ours:
        for memory in one:
            by_role[memory.role].append(memory)
    for role in OURS:
        memories = by_role.get(role, [])
        pss, private = (tuple(getattr(memory, name) for memory in memories) for name in ("pss", "dirty"))
        yield Row(NAME, f"  {role}", "MB", pss, "its private dirty", private)


def _state_beside(bench: Bench, container: Container, count: int) -> Row:
    bare: list[float] = []
    state: list[float] = []
    for _ in range(bench.times(15, 4)):
        bare.append(bench.bare())
        state.append(bench.scrun("state", container.name).milliseconds)
    return Row(NAME, f"{count} idle: scrun state", "ms", tuple(state), "python3 -IS -c pass", tuple(bare), "<= 1.5 x")


def _processes(container: Container) -> list[Memory]:
    """All processes below the anchor, and the anchor; the log tells which actor is which."""
    actors = {int(pid): role for role, pid in READY.findall(container.log)}
    found = []
    todo = [container.anchor]
    while todo:
        pid = todo.pop()
        todo += children(pid)
        sums = parse_smaps(read_proc(pid, "smaps_rollup"))
        found.append(Memory(_role(container, pid, actors), sums["Pss"], sums["Private_Dirty"]))
    return found


def _role(container: Container, pid: int, actors: dict[int, str]) -> str:
    if pid == container.anchor:
        return "anchor"
    # What is neither an actor nor srun is the guard, which has no log.
    return actors.get(pid) or ("srun" if read_proc(pid, "comm").startswith("srun") else "guard")
