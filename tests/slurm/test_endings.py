"""Ends that the program did not choose, and how they are explained."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import all_pids, read_proc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime

TIME_LIMIT = 120.0
"""Slurm counts time limits in minutes and looks every half."""


def explained(box: Box, kind: str, words: str) -> None:
    annotations = box.annotations()
    assert annotations["scrun.end"] == kind
    assert words in annotations["scrun.end-reason"]


@pytest.mark.slice
def test_scancel(runtime: Runtime, as_user: Any) -> None:
    box = runtime.running("/bin/sh", "-c", "echo here; while :; do sleep 1; done")
    assert box.read_line() == "here"
    as_user(["scancel", str(box.job())])
    assert box.wait(30) in {137, 143}
    explained(box, "cancelled", "cancelled")
    runtime.ok("delete", box.id)
    assert runtime.left(box.id) == []


@pytest.mark.slice
def test_scancel_of_the_step(runtime: Runtime, as_user: Any) -> None:
    box = runtime.running("/bin/sleep", "600")
    as_user(["scancel", box.annotations()["scrun.step"]])
    assert box.wait(30) in {137, 143}
    assert box.annotations()["scrun.end"] in {"cancelled", "signalled"}
    assert box.annotations()["scrun.end-reason"]


@pytest.mark.slice
def test_a_program_is_killed_alone_and_its_runtime_tells_of_it(runtime: Runtime) -> None:
    """Killed with it, the runtime is gone before the program is, and slurmstepd looks again a second later."""
    box = runtime.running("/bin/sleep", "600")
    runtime.ok("kill", box.id, "KILL")
    assert box.wait() == 137
    explained(box, "signalled", "the program was ended by SIGKILL")
    assert "Exited with exit code 137" in (runtime.root / box.id / "step.log").read_text()


@pytest.mark.slice
def test_scancel_between_create_and_start(runtime: Runtime, as_user: Any) -> None:
    box = runtime.box("/bin/sleep", "600")
    as_user(["scancel", str(box.job())])
    # Nothing runs that would notice, but salloc is told; without that the job is looked at every half minute.
    assert box.wait(20) != 0
    explained(box, "cancelled", "cancelled")
    sentence = runtime.fails("start", box.id)
    assert "cancelled" in sentence or "stopped" in sentence


@pytest.fixture
def node(as_root: Any) -> Iterator[str]:
    """A node that a test may take down."""
    yield "node3"
    as_root(["scontrol", "update", "nodename=node3", "state=resume"])


def test_node_failure(runtime: Runtime, as_root: Any, node: str, wait_until: Any) -> None:
    box = runtime.running("/bin/sh", "-c", "echo here; while :; do sleep 1; done",
                          annotations={"scrun.nodelist": node})  # fmt: skip
    assert box.read_line() == "here"
    # (It comes back by itself: ReturnToService is 2.)
    done = as_root(["scontrol", "update", f"nodename={node}", "state=down", "reason=test"])
    assert done.returncode == 0, done.stderr
    assert box.wait(60) == 137
    explained(box, "node-failure", "node")


def daemon_of(step: str) -> int:
    """The step's slurmstepd; its node is this machine."""
    [found] = [pid for pid in all_pids() if read_proc(pid, "cmdline").startswith(f"slurmstepd: [{step}]".encode())]
    return found


@pytest.mark.timeout(200)
def test_slurmstepd_is_killed(runtime: Runtime) -> None:
    box, other = (runtime.running("/bin/sleep", f"600.{number}") for number in (4711, 4712))
    for each in (box, other):
        os.kill(daemon_of(each.annotations()["scrun.step"]), signal.SIGKILL)
    # An engine that stops it gets no error, or it would never come to KILL.
    runtime.ok("kill", other.id, "TERM")
    runtime.ok("kill", other.id, "KILL")
    assert other.wait(10) == 137
    # The anchor looks each half minute.
    assert box.wait(90) == 137
    explained(box, "node-failure", "slurmstepd")
    runtime.wait_until(lambda: not any(b"600.4711" in read_proc(pid, "cmdline") for pid in all_pids()), 10)


@pytest.mark.timeout(200)
def test_time_limit(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "echo here; while :; do sleep 1; done",
                          annotations={"scrun.partition": "short"})  # fmt: skip
    assert box.read_line() == "here"
    assert box.wait(TIME_LIMIT) in {137, 143}
    explained(box, "time-limit", "time limit of 1:00")


@pytest.mark.slice
def test_the_program_s_own_end_needs_no_explanation(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "exit 0")
    assert box.wait() == 0
    annotations = box.annotations()
    assert (annotations["scrun.end"], annotations["scrun.exit-code"]) == ("exited", "0")
    assert "scrun.end-reason" not in annotations
