"""Figure 4: what idle containers take of the submit host's memory and processors, and the hot verb beside them."""

from __future__ import annotations

import os
import re
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .container import OURS
from .measure import children, processor_time, read_proc
from .rows import Row, parse_smaps
from .verbs import IDLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .bench import Bench
    from .container import Container, Runtime

NAME = "memory"
READY = re.compile(r"(\w+) is ready, incarnation \d+, pid (\d+)")
ROLES = ("anchor", "guard", "state")
SLURM = "salloc and srun"
NOTE = (
    "PSS: a page shared by n processes counts 1/n in each; the interpreter's own pages are shared by all containers "
    "of the host, so that more of them take less each. Slurm's commands are in the sum, and in turn with it alone."
)
IDLE_NOTE = "of one container's processes, Slurm's commands included, while nothing happens"
REST = 40.0
"""Seconds in which the last actor that has nothing to do has gone."""
SETTLED = 30.0
"""Seconds of rest after which the leases are at their longest."""


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
        for count in (1, 4) if bench.quick else (1, 16):
            more(bench, containers, count)
            wait_for_rest(bench, containers)
            yield from _rows(containers, [_processes(container) for container in containers])
            yield _state_beside(bench, containers[0], count)
            yield _at_rest(bench, containers)
    finally:
        remove(bench, containers)


def more(
    bench: Bench,
    containers: list[Container],
    count: int,
    command: Sequence[str] = IDLE,
    runtime: Runtime = OURS,
    *,
    at_once: int = 4,
) -> None:
    """Make so many of them, all idle."""

    def one(container: Container) -> None:
        container.create()
        container.start()

    new = [bench.container(*command, debug=runtime is OURS, runtime=runtime) for _ in range(count - len(containers))]
    containers += new
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(one, new))


def wait_for_rest(bench: Bench, containers: list[Container]) -> None:
    """Until none has other processes of scrun's than those that stay."""
    end = time.monotonic() + REST
    while any({memory.role for memory in _processes(one)} > {*ROLES, SLURM} for one in containers):
        bench.check()
        if time.monotonic() > end:
            raise RuntimeError(f"an actor is still there {REST:g} s after the last thing that happened")
        time.sleep(0.1)


def remove(bench: Bench, containers: list[Container]) -> None:
    """All of them, side by side."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda container: container.remove(), containers))
    bench.processes.reap_strays()


def _at_rest(bench: Bench, containers: list[Container]) -> Row:
    """Milliseconds of processor time for each second of rest."""
    time.sleep(bench.times(int(SETTLED), 1))
    seconds = bench.times(20, 5)
    before = [_spent(container) for container in containers]
    began = time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    spent = tuple((_spent(one) - used) / took for one, used in zip(containers, before, strict=True))
    return Row(NAME, f"{len(containers)} idle: processor time each", "ms/s", spent, aim="<= 0.05", note=IDLE_NOTE)


def _spent(container: Container) -> float:
    return sum(map(processor_time, _family(container)))


def _rows(containers: list[Container], measured: list[list[Memory]]) -> Iterator[Row]:
    ours = [[memory for memory in one if memory.role in ROLES] for one in measured]
    total = tuple(sum(memory.pss for memory in one) for one in measured)
    dirty = tuple(sum(memory.dirty for memory in one) for one in ours)
    slurm = tuple(sum(memory.pss for memory in one if memory.role == SLURM) for one in measured)
    many = f"{len(containers)} idle"
    yield Row(NAME, f"{many}: PSS per container", "MB", total, SLURM, slurm, "<= 16", NOTE)
    yield Row(NAME, f"{many}: private dirty", "MB", dirty)
    families = [_family(container) for container in containers]
    yield Row(NAME, f"{many}: processes each", "", tuple(float(len(family)) for family in families), note=IDLE_NOTE)
    open_files = tuple(float(sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in family)) for family in families)
    yield Row(NAME, f"{many}: descriptors each", "", open_files, note=IDLE_NOTE)
    by_role: dict[str, list[Memory]] = defaultdict(list)
    for one in ours:
        for memory in one:
            by_role[memory.role].append(memory)
    for role in ROLES:
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
    for pid in _family(container):
        sums = parse_smaps(read_proc(pid, "smaps_rollup"))
        if sums:
            found.append(Memory(_role(container, pid, actors), sums["Pss"], sums["Private_Dirty"]))
    return found


def pss(container: Container) -> float:
    """MB of all its processes on this host, Slurm's commands included."""
    return sum(parse_smaps(read_proc(pid, "smaps_rollup"))["Pss"] for pid in _family(container))


def _family(container: Container) -> list[int]:
    found = [container.anchor]
    for pid in found:
        found += children(pid)
    return found


def _role(container: Container, pid: int, actors: dict[int, str]) -> str:
    if pid == container.anchor:
        return "anchor"
    command = read_proc(pid, "cmdline")
    if command.startswith("scrun-guard"):
        return "guard"
    return actors.get(pid, SLURM)
