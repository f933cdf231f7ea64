"""The worker's line format, with a stand-in for pyslurm's classes: no release of it fits Slurm 22.05."""

from __future__ import annotations

import types
from typing import Any

from actors.slurm import pyslurm_worker, queue_format

JOB: Any = types.SimpleNamespace(
    id=5, state="RUNNING", state_reason=None, allocated_nodes="node1", time_limit=10, comment="scrun:abc", user_id=1001,
)  # fmt: skip


def stand_in(cancelled: list[int]) -> Any:
    class Job:
        load = staticmethod(lambda _: JOB)

        def __init__(self, number: int) -> None:
            self.cancel = lambda: cancelled.append(number)

    return types.SimpleNamespace(
        Job=Job,
        Jobs=types.SimpleNamespace(load=lambda: {5: JOB}),
    )


def test_the_lines_are_squeue_s() -> None:
    cancelled: list[int] = []
    pyslurm = stand_in(cancelled)
    info = queue_format.read_job(pyslurm_worker.run(pyslurm, ["inquire", "5"]), 5)
    assert info is not None
    assert (info.state, info.reason, info.nodes, info.preempted) == ("RUNNING", "", "node1", False)
    found = pyslurm_worker.run(pyslurm, ["find", "1001"])
    assert queue_format.read_found(found, "scrun:abc") == [5]
    assert not pyslurm_worker.run(pyslurm, ["find", "1002"])
    pyslurm_worker.run(pyslurm, ["cancel", "5"])
    assert cancelled == [5]
