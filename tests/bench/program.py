"""Figure 11: how soon a program begins and ends, against the same by Slurm's commands alone."""

from __future__ import annotations

import os
import select
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from .rows import Row
from .throughput import await_event
from .verbs import READY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench

NAME = "program"
BEGIN_AIM = "<= +12 ms"
BEGIN_NOTE = "begin: from the command to the program's first byte"
END_NOTE = "kill: from the command to the end of the anchor, of srun by hand; the program can be killed only"


def measure(bench: Bench) -> Iterator[Row]:
    """Through scrun and by hand, in turn."""
    took: dict[str, list[float]] = defaultdict(list)
    for _ in range(bench.times(60, 2)):
        for what, seconds in (_through_scrun(bench) | _by_hand(bench)).items():
            took[what].append(seconds * 1000)
        bench.processes.reap_strays()
    begin, end = tuple(took["srun"]), tuple(took["scancel"])
    start, kill = tuple(took["start"]), tuple(took["kill"])
    yield Row(NAME, "start to the first byte", "ms", start, "srun --container", begin, BEGIN_AIM, BEGIN_NOTE)
    yield Row(NAME, "  by hand", "ms", begin)
    yield Row(NAME, "kill KILL to the end", "ms", kill, "scancel --signal=KILL", end, "", END_NOTE)
    yield Row(NAME, "  by hand", "ms", end)


def _through_scrun(bench: Bench) -> dict[str, float]:
    container = bench.container(*READY)
    try:
        container.create()
        begin = time.perf_counter()
        pid = bench.processes.start(("scrun", "--root", bench.root, "start", container.name))
        await_event(container.output, select.POLLIN, bench)
        start = time.perf_counter() - begin
        bench.processes.wait(pid, 10)
        begin = time.perf_counter()
        bench.scrun("kill", container.name, "KILL")
        container.wait()
        return {"start": start, "kill": time.perf_counter() - begin}
    finally:
        container.remove()


def _by_hand(bench: Bench) -> dict[str, float]:
    job, _ = bench.salloc()
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        begin = time.perf_counter()
        pid = bench.processes.start(bench.step(job, *READY), stdout=writing)
        await_event(reading, select.POLLIN, bench)
        srun = time.perf_counter() - begin
        begin = time.perf_counter()
        bench.good("scancel", "--signal=KILL", f"{job}.0")
        bench.processes.wait(pid, 30)
        return {"srun": srun, "scancel": time.perf_counter() - begin}
    finally:
        os.close(reading)
        os.close(writing)
        bench.good("scancel", job)
