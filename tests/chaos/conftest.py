"""Seed, extent and the figures of a chaos run.

``SEED=N`` repeats a run's choices; ``ROUNDS=N`` runs every case N times; without ROUNDS it is the slice that
``make test`` runs: a few cases of each kind, chosen by the seed.
"""

from __future__ import annotations

import collections
import os
import pathlib
import random
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from tests.oci import conftest as _oci
from tests.slurm.conftest import filled as _filled
from tests.slurm.conftest import runtime as _runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.slurm.runtime import Box, Runtime

T = TypeVar("T")

HERE = pathlib.Path(__file__).resolve().parent
SEED = int(os.environ.get("SEED") or int.from_bytes(os.urandom(4)))
ROUNDS = int(os.environ.get("ROUNDS") or 0)
FIGURES: collections.Counter[str] = collections.Counter()

runtime = _runtime
filled = _filled
podman, docker, engine = _oci.podman, _oci.docker, _oci.engine
as_docker, docker_directory, no_docker_left = _oci.as_docker, _oci.docker_directory, _oci.no_docker_left
filler = _oci.filler


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker("chaos")
            item.add_marker("slurm")
            item.add_marker(pytest.mark.timeout(100 + 100 * ROUNDS))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if FIGURES:
        extent = f"ROUNDS={ROUNDS}" if ROUNDS else "the slice"
        figures = ", ".join(f"{count} {what}" for what, count in sorted(FIGURES.items()))
        terminalreporter.write_line(f"chaos: SEED={SEED} {extent}: {figures}")


def chosen(cases: Iterable[str]) -> list[str]:
    """Parameters of a test that takes long: all, or in the slice the one that the seed chooses."""
    listed = list(cases)
    return listed if ROUNDS else [random.Random(f"{SEED}:{listed}").choice(listed)]


class Chaos:
    """The random choices of one test, and its figures."""

    def __init__(self, name: str) -> None:
        self.random = random.Random(f"{SEED}:{name}")
        self.figures = FIGURES

    @property
    def complete(self) -> bool:
        """Whether everything is to be run, not a slice."""
        return ROUNDS > 0

    def some(self, cases: Sequence[T], few: int) -> list[T]:
        """All cases, so many times as there are rounds; in the slice a few of them."""
        if ROUNDS:
            return list(cases) * ROUNDS
        return self.random.sample(list(cases), min(few, len(cases)))

    def most(self, what: str, value: int) -> None:
        """A figure of which the greatest is told."""
        self.figures[f"{what}, at most"] = max(self.figures[f"{what}, at most"], value)

    def kill(self, runtime: Runtime, box: Box) -> None:
        """``kill KILL``, in the midst of some trouble; when it is answered is a figure."""
        began = time.monotonic()
        done = runtime("kill", box.id, "KILL")
        took = time.monotonic() - began
        assert done.returncode == 0, done.stderr
        self.most("ms to the answer to KILL in an outage", round(1000 * took))
        self.figures["KILLs in an outage"] += 1
        self.figures["KILLs in an outage answered within a second"] += took <= 1.0

    def data(self, size: int) -> bytes:
        return self.random.randbytes(size)


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> Chaos:
    print(f"SEED={SEED}")
    return Chaos(request.node.name)


@pytest.fixture
def nodes(as_root: Any, runtime: Runtime) -> Iterator[None]:
    """All are there for the next test, too.

    Slurm drains one on which a step could not tell its end ("Kill task failed"); a controller that has begun anew
    knows none until they have answered, and 26.05 keeps jobs in the queue that long, some three seconds.
    """
    yield
    runtime.wait_until(lambda: not as_root(["sinfo", "-h", "-t", "unknown", "-o", "%N"]).stdout, 90, interval=0.5)
    runtime.wait_until(lambda: not as_root(["squeue", "-h", "-t", "completing"]).stdout, 90, interval=0.5)
    for node in set(as_root(["sinfo", "-h", "-N", "-t", "drain,down", "-o", "%N"]).stdout.split()):
        as_root(["scontrol", "update", f"nodename={node}", "state=resume"])
