"""The worker's line format, with a stand-in for pyslurm's classes: no release of it fits Slurm 22.05.

The real one is asked in ``tests/slurm/test_scheduler_commands.py``.
"""

from __future__ import annotations

import types
from typing import Any

import pytest

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
    assert info.time_limit == "10:00"
    found = pyslurm_worker.run(pyslurm, ["find", "1001"])
    assert queue_format.read_found(found, "scrun:abc") == [5]
    assert not pyslurm_worker.run(pyslurm, ["find", "1002"])
    assert pyslurm_worker.run(pyslurm, ["load"]) == pyslurm_worker.LOADED
    pyslurm_worker.run(pyslurm, ["cancel", "5"])
    assert cancelled == [5]


@pytest.mark.parametrize(
    ("minutes", "text"), [(None, ""), (5, "5:00"), (65, "1:05:00"), (2880, "2-00:00:00"), (1441, "1-00:01:00")]
)
def test_a_time_limit_is_written_as_squeue_writes_it(minutes: int | None, text: str) -> None:
    job = types.SimpleNamespace(**{**vars(JOB), "time_limit": minutes})
    info = queue_format.read_job(pyslurm_worker.job_line(job), 5)
    assert info is not None
    assert info.time_limit == text
