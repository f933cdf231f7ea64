"""Figure 2: the whole life of ``true``, through scrun, through podman, and by hand with salloc, srun, scancel."""

from __future__ import annotations

import time
from collections import defaultdict
from typing import TYPE_CHECKING

from .bench import SRUN
from .container import OURS
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench
    from .container import Runtime

NAME = "life"
HAND = "salloc + srun + scancel"
NOTE = (
    "processor time: of all processes here, Slurm's commands included on both sides; its daemons and what runs on the "
    "node are not; run: from the end of start to the exit of the anchor; podman: image busybox, --rm, with conmon and "
    "a store"
)
LIVES = 100
"""So many that a late one in twenty is seen, and something can be said of one in a hundred."""
PODMAN_EVERY = 5
"""podman takes long, and nobody asks for its late ones."""
PARTS = ("create", "start", "run", "delete")
HAND_PARTS = ("salloc", "srun", "scancel")


def measure(bench: Bench) -> Iterator[Row]:
    """The three in turn."""
    took: dict[str, list[float]] = defaultdict(list)
    # The first container of all fills the page cache; podman makes its store's pause process.
    through_scrun(bench)
    podman = bench.run("podman", "run", "--rm", "busybox", "true").status == 0
    for number in range(bench.times(LIVES, 3)):
        for what, milliseconds in (through_scrun(bench) | by_hand(bench)).items():
            took[what].append(milliseconds)
        if podman and number % PODMAN_EVERY == 0:
            took["podman"].append(bench.good("podman", "run", "--rm", "busybox", "true").milliseconds)
        bench.processes.reap_strays()
    hand = tuple(took["hand"])
    yield Row(NAME, "scrun: whole life", "ms", tuple(took["scrun"]), HAND, hand, "<= +100", NOTE)
    for part in PARTS:
        yield Row(NAME, f"  {part}", "ms", tuple(took[part]))
    yield Row(NAME, "scrun: processor time", "ms", tuple(took["scrun cpu"]), HAND, tuple(took["hand cpu"]), "", NOTE)
    yield Row(NAME, "podman run", "ms", tuple(took["podman"]), HAND, hand)
    yield Row(NAME, "by hand", "ms", hand)
    for part in HAND_PARTS:
        yield Row(NAME, f"  {part}", "ms", tuple(took[part]))


def through_scrun(bench: Bench, *command: str, expected: int = 0, runtime: Runtime = OURS) -> dict[str, float]:
    """One life; milliseconds of its parts, of ``scrun``, all of it, and of processor time, if nothing else is beside.

    Raises:
        RuntimeError: the container ended otherwise than it should.

    """
    container = bench.container(*(command or ("true",)), runtime=runtime)
    spent = bench.processes.processor
    try:
        begin = time.perf_counter()
        create = container.create()
        start = container.start()
        before = time.perf_counter()
        status = container.wait()
        run = time.perf_counter() - before
        delete = container.delete()
        whole = time.perf_counter() - begin
    except BaseException:
        container.remove()
        raise
    if status != expected:
        raise RuntimeError(f"the container ended with {status} instead of {expected}")
    parts = (create.milliseconds, start.milliseconds, run * 1000, delete.milliseconds)
    spent = bench.processes.processor - spent
    return dict(zip(PARTS, parts, strict=True)) | {"scrun": whole * 1000, "scrun cpu": spent * 1000}


def by_hand(bench: Bench, *command: str, expected: int = 0) -> dict[str, float]:
    """The same without scrun; ``hand`` is all of it.

    Raises:
        RuntimeError: the step ended otherwise than it should.

    """
    command = command or ("true",)
    bench.bundle(SRUN, *command)
    spent = bench.processes.processor
    begin = time.perf_counter()
    job, salloc = bench.salloc()
    srun = bench.run(*bench.step(job, *command))
    scancel = bench.good("scancel", job)
    whole = time.perf_counter() - begin
    if srun.status != expected:
        raise RuntimeError(f"srun ended with {srun.status} instead of {expected}: {srun.said}")
    parts = (salloc.milliseconds, srun.milliseconds, scancel.milliseconds)
    spent = bench.processes.processor - spent
    return dict(zip(HAND_PARTS, parts, strict=True)) | {"hand": whole * 1000, "hand cpu": spent * 1000}
