"""The worker's line format, with a stand-in for pyslurm's classes: no release of it fits Slurm 22.05."""

from __future__ import annotations

import types
from typing import Any

from actors.slurm import pyslurm_worker, queue_format

JOB: Any = types.SimpleNamespace(
    id=5, state="RUNNING", state_reason=None, allocated_nodes="node1", time_limit=10, comment="scrun:abc", user_id=1001,
)  # fmt: skip


def stand_in(sent: list[object]) -> Any:
    return types.SimpleNamespace(
        Job=types.SimpleNamespace(load=lambda _: JOB),
        Jobs=types.SimpleNamespace(load=lambda: {5: JOB}),
        JobStep=lambda job, step: types.SimpleNamespace(send_signal=lambda n: sent.append((job, step, n))),
    )


def test_the_lines_are_squeue_s() -> None:
    sent: list[object] = []
    info = queue_format.read_job(pyslurm_worker.run(stand_in(sent), ["inquire", "5"]), 5)
    assert info is not None
    assert (info.state, info.reason, info.nodes, info.preempted) == ("RUNNING", "", "node1", False)
    found = pyslurm_worker.run(stand_in(sent), ["find", "1001"])
    assert queue_format.read_found(found, "scrun:abc") == [5]
    assert not pyslurm_worker.run(stand_in(sent), ["find", "1002"])
    pyslurm_worker.run(stand_in(sent), ["signal", "5.2", "15"])
    assert sent == [(5, 2, 15)]
