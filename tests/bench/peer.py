"""Figure 10: this scrun and Slurm's own, in turn: what each takes, and how often it fails."""

from __future__ import annotations

import os
import re
import select
import shutil
import time
from collections import Counter, defaultdict
from functools import partial
from typing import TYPE_CHECKING

from . import memory
from .container import OURS, Runtime
from .crowd import at_once
from .life import PARTS, through_scrun
from .measure import NOTHING
from .rows import Row
from .slurms import CONTAINERS_CONF, PROGRAM, SLURM_CONF
from .throughput import MEGABYTE, await_event, output_of_scrun
from .verbs import READY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .bench import Bench
    from .container import Container

NAME = "peer"
THEIRS = "Slurm's scrun"
SLURMS = Runtime(PROGRAM, {"SLURM_CONF": SLURM_CONF})
CROWD = 16
PODMAN_NOTE = "podman: a store of the driver vfs, which the nodes see, so that nothing is staged by either"
END_NOTE = (
    "of a program that takes TERM: Slurm's scrun cancels the job, and one that does not lives on for 30 s and more"
)
FAILED_NOTE = "Slurm's scrun loses the exit status, so that a life which only looks like one is not found out"


class Sides:
    """What was measured of each of the two, in turn."""

    def __init__(self) -> None:
        self.took: dict[Runtime, dict[str, list[float]]] = {OURS: defaultdict(list), SLURMS: defaultdict(list)}
        self.failures: dict[Runtime, Counter[str]] = {OURS: Counter(), SLURMS: Counter()}

    def each(self, act: Callable[[Runtime], dict[str, float]], count: int = 1) -> None:
        """Act so often at once with one, then with the other."""
        for runtime in self.took:
            begin = time.perf_counter()
            found = at_once(count, partial(act, runtime), self.failures[runtime])
            self.took[runtime]["all"].append((time.perf_counter() - begin) * 1000)
            for one in found:
                for what, value in one.items():
                    self.took[runtime][what].append(value)

    def row(self, key: str, what: str, unit: str = "ms", aim: str = "", note: str = "") -> Row:
        """Ours against theirs."""
        ours, theirs = (tuple(self.took[runtime][key]) for runtime in (OURS, SLURMS))
        return Row(NAME, what, unit, ours, THEIRS, theirs, aim, note)

    def failed(self, what: str, count: int) -> Row:
        """How many of so many came to no end, and why."""
        ours, theirs = (float(self.failures[runtime].total()) for runtime in (OURS, SLURMS))
        reasons = tally(reason for one in self.failures.values() for reason in one.elements())
        note = f"{what}: {reasons}" if reasons else FAILED_NOTE
        return Row(NAME, f"{what}: failed of {count}", "", (ours,), THEIRS, (theirs,), "0", note)


def tally(reasons: Iterable[str]) -> str:
    """How often each, without what is each container's own: the command, the names of files and containers."""
    last = (re.sub(r".*exit status \S+ ", "", reason, flags=re.DOTALL).splitlines()[-1] for reason in reasons)
    counted = Counter(re.sub(r"\bb\d+\b", "ID", re.sub(r"/\S*/", "", reason)) for reason in last)
    return "; ".join(f"{times} x {reason}" for reason, times in counted.items())


def measure(bench: Bench) -> Iterator[Row]:
    """Lives, podman's, many at once, ends, streams and memory."""
    try:
        yield from _lives(bench)
        yield from _podman(bench)
        yield from _crowds(bench)
        yield from _ends(bench)
        yield from _streams(bench)
        yield from _idle(bench)
    finally:
        # Jobs of Slurm's scrun have this name, and some outlive their containers.
        bench.run("scancel", "--me", "--name=scrun")


def _lives(bench: Bench) -> Iterator[Row]:
    sides, times = Sides(), bench.times(100, 3)
    for _ in range(times):
        sides.each(lambda runtime: through_scrun(bench, runtime=runtime))
        bench.processes.reap_strays()
    yield sides.row("scrun", "life of true", aim="<= 2.2 x")
    for part in PARTS:
        yield sides.row(part, f"  {part}")
    yield sides.row("scrun cpu", "life of true: processor time", aim="<= 110 ms, Slurm's commands apart")
    yield sides.failed("life of true", times)


def _podman(bench: Bench) -> Iterator[Row]:
    store = ("--storage-driver=vfs", f"--root={bench.directory}/store", f"--runroot={bench.root}/podman")
    archive = f"{bench.directory}/busybox.tar"
    environs = {OURS: NOTHING, SLURMS: {**SLURMS.environ, "CONTAINERS_CONF": CONTAINERS_CONF}}
    bench.good("podman", "save", "--quiet", "--output", archive, "busybox")
    bench.good("podman", *store, "load", "--quiet", "--input", archive)

    def run(runtime: Runtime) -> dict[str, float]:
        program = shutil.which(runtime.program) or runtime.program
        words = ("podman", *store, "--runtime", program, "run", "--rm", "--network=host", "busybox", "true")
        return {"podman": bench.good(*words, environ=environs[runtime]).milliseconds}

    sides, times = Sides(), bench.times(30, 2)
    try:
        for _ in range(times):
            sides.each(run)
            bench.processes.reap_strays()
    finally:
        # (of a user namespace, so that only podman can remove it)
        bench.run("podman", *store, "system", "reset", "--force")
        shutil.rmtree(f"{bench.root}/podman", ignore_errors=True)  # which 5.8 leaves there sometimes
    yield sides.row("podman", "podman run --rm busybox true", aim="<= 1.6 x", note=PODMAN_NOTE)
    yield sides.failed("podman run", times)


def _crowds(bench: Bench) -> Iterator[Row]:
    sides, times = Sides(), bench.times(10, 1)
    for _ in range(times):
        sides.each(lambda runtime: through_scrun(bench, runtime=runtime), CROWD)
        bench.processes.reap_strays()
    yield sides.row("all", f"{CROWD} lives at once, all", aim="<= 2.2 x")
    yield sides.row("scrun", f"{CROWD} lives at once, each")
    yield sides.failed(f"{CROWD} at once", times * CROWD)


def _ends(bench: Bench) -> Iterator[Row]:
    sides, times = Sides(), bench.times(25, 2)
    bare: list[float] = []
    for _ in range(times):
        bare += [bench.bare() for _ in range(2)]
        sides.each(partial(_killed, bench))
        sides.each(partial(_deleted, bench))
        bench.processes.reap_strays()
    state = tuple(sides.took[OURS]["state"])
    yield Row(NAME, "state", "ms", state, "python3 -IS -c pass", tuple(bare), "<= 1.1 x")
    yield sides.row("state", "state")
    yield sides.row("kill", "kill KILL to the anchor's end", aim="<= 1.5 x", note=END_NOTE)
    yield sides.row("delete", "delete --force to the anchor's end", aim="<= 1.5 x", note=END_NOTE)
    yield sides.failed("ends", 2 * times)


def _killed(bench: Bench, runtime: Runtime) -> dict[str, float]:
    container = _ready(bench, runtime)
    try:
        state = [bench.scrun("state", container.name, runtime=runtime).milliseconds for _ in range(2)]
        begin = time.perf_counter()
        bench.scrun("kill", container.name, "KILL", runtime=runtime)
        container.wait()
        took = time.perf_counter() - begin
    finally:
        container.remove()
    return {"state": min(state), "kill": took * 1000}


def _deleted(bench: Bench, runtime: Runtime) -> dict[str, float]:
    container = _ready(bench, runtime)
    try:
        begin = time.perf_counter()
        container.delete("--force")
        container.wait()
        took = time.perf_counter() - begin
    except BaseException:
        container.remove()
        raise
    return {"delete": took * 1000}


def _ready(bench: Bench, runtime: Runtime) -> Container:
    """A container whose program runs."""
    container = bench.container(*READY, runtime=runtime)
    try:
        container.create()
        container.start()
        await_event(container.output, select.POLLIN, bench)
        os.read(container.output, 100)
    except BaseException:
        container.remove()
        raise
    return container


def _streams(bench: Bench) -> Iterator[Row]:
    sides, size = Sides(), bench.times(128, 16) * MEGABYTE
    times = bench.times(5, 1)
    for _ in range(times):
        sides.each(lambda runtime: {"stdout": output_of_scrun(bench, size, runtime)})
    yield sides.row("stdout", f"stdout, {size // MEGABYTE} MiB", "MB/s", ">= 1.4 x")


def _idle(bench: Bench) -> Iterator[Row]:
    """Not side by side: what one takes would share pages with the other's commands of Slurm."""
    found: dict[Runtime, tuple[float, ...]] = {}
    count = bench.times(CROWD, 2)
    for runtime in (OURS, SLURMS):
        containers: list[Container] = []
        try:
            # One after the other: of several starts at once Slurm's loses some.
            memory.more(bench, containers, count, READY, runtime, at_once=1)
            for container in containers:
                await_event(container.output, select.POLLIN, bench)
            if runtime is OURS:
                memory.wait_for_rest(bench, containers)
            found[runtime] = tuple(memory.pss(container) for container in containers)
        finally:
            memory.remove(bench, containers)
    aim = "<= 2.8 x, 16 MB"
    yield Row(NAME, f"{count} idle: PSS per container", "MB", found[OURS], THEIRS, found[SLURMS], aim)
