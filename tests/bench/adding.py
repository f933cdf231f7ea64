"""Figure 9: another program in a container that runs, against a step beside it without any container."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .rows import Row
from .verbs import IDLE, job_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench

NAME = "exec"
AIM = "<= + 60 ms"
NOTE = "exec: with pipes, until the last byte and the status are there; it is such a step, and the node's runtime in it"


def measure(bench: Bench) -> Iterator[Row]:
    """In one container and its job, in turn; a bare interpreter before each."""
    took: dict[str, list[float]] = {"exec": [], "srun": [], "bare": []}
    container = bench.container(*IDLE)
    try:
        container.create()
        container.start()
        job = job_of(container)
        for _ in range(bench.times(100, 3)):
            took["bare"].append(bench.bare())
            took["srun"].append(bench.good("srun", f"--jobid={job}", "--overlap", "true").milliseconds)
            took["exec"].append(bench.scrun("exec", container.name, "true").milliseconds)
    finally:
        container.remove()
    ours, srun, bare = (tuple(took[name]) for name in ("exec", "srun", "bare"))
    yield Row(NAME, "scrun exec", "ms", ours, "srun --overlap true", srun, AIM, NOTE)
    yield Row(NAME, "scrun exec", "ms", ours, "python3 -IS -c pass", bare)
    yield Row(NAME, "srun --overlap true", "ms", srun)
