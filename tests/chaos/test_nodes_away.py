"""A node's slurmd, or munged, is gone at any time of a container's life: all goes on when it is back."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from actors.allocation.nodes import LOOK
from tests.conftest import all_pids, read_proc

from .conftest import chosen
from .ordeal import echo, forget, nothing_left, read, read_line
from .sabotage import MUNGE, Start, family, idle, node, pass_time

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

BACK = 60.0
"""Seconds in which all must be well when the daemon is back."""
NODE = "node2"
HERE = {"scrun.nodelist": NODE}
OUTAGES = {"is killed": lambda daemon: daemon.killed(), "hangs": lambda daemon: daemon.stopped()}
CHOSEN = chosen(f"{who} {how}" for who in ("slurmd", "munged") for how in OUTAGES)
pytestmark = [
    pytest.mark.outage,
    pytest.mark.usefixtures("nodes"),
    pytest.mark.may_leave("children"),
    pytest.mark.timeout(300),
]


def uts(pid: int) -> str:
    """The node that a process is on: each has a host name of its own."""
    return os.readlink(f"/proc/{pid}/ns/uts")


def gone(runtime: Runtime, boxes: dict[Box, int]) -> None:
    for box, job in boxes.items():
        assert runtime("delete", box.id).returncode == 0
        forget(runtime, box)
        nothing_left(runtime, box.id, job, BACK)


@pytest.mark.parametrize("how", [how for how in OUTAGES if f"slurmd {how}" in CHOSEN])
def test_slurmd(runtime: Runtime, chaos: Chaos, how: str) -> None:
    goes_on, ends, killed = (echo(runtime, name, annotations=HERE) for name in ("goes-on", "ends", "killed"))
    created = runtime.box("/bin/true", id="created", annotations=HERE)
    boxes = {box: box.job() for box in (goes_on, ends, killed, created)}
    with OUTAGES[how](node(NODE)), idle([box.anchor for box in boxes]), Start(runtime, created) as start:
        ends.close_stdin()
        # The step's own daemon tells srun, and needs no slurmd.
        assert (read(ends), ends.wait()) == ("bye\n", 42)
        chaos.kill(runtime, killed)
        assert killed.wait() == 137
        assert runtime("kill", goes_on.id, "USR1").returncode == 0
        code, sentence = start.result(BACK)
        assert code == 1
        assert "a node did not" in sentence
        assert created.wait() == 125
        pass_time(30 if chaos.complete else 0)
    chaos.figures["cases"] += len(boxes)
    assert read_line(goes_on) == "got"
    assert runtime("kill", goes_on.id, "USR1").returncode == 0
    assert read_line(goes_on) == "got"
    goes_on.close_stdin()
    assert (read(goes_on), goes_on.wait()) == ("bye\n", 42)
    gone(runtime, boxes)


def test_a_node_that_is_started_anew(runtime: Runtime, chaos: Chaos) -> None:
    """Within SlurmdTimeout, where ReturnToService is 2: for Slurm it has not failed, and srun waits for ever."""
    lost = echo(runtime, "lost", annotations=HERE)
    both = echo(runtime, "both", annotations={"scrun.nodes": "2", "scrun.nodelist": f"node1,{NODE}"})
    other = echo(runtime, "other", annotations={"scrun.nodelist": "node1"})
    boxes = {box: box.job() for box in (lost, both, other)}
    daemon = node(NODE, "-b")
    machine = uts(daemon.pid)
    steps = [
        pid for pid in all_pids() if read_proc(pid, "cmdline").startswith(b"slurmstepd: [") and uts(pid) == machine
    ]
    everything = set().union(*map(family, steps))
    assert len(steps) == 2
    with daemon.killed():
        for pid in everything:
            os.kill(pid, signal.SIGKILL)
    for box in (lost, both):
        assert box.wait(3 * LOOK + BACK) == 137
        annotations = box.annotations()
        assert annotations["scrun.end"] == "node-failure"
        assert f"node {NODE} was started anew" in annotations["scrun.end-reason"]
    assert f"node {NODE} was started anew" in read(lost, "err")
    with node(NODE).killed():
        pass  # one with -b tells of a new boot at each registration, and srun is told that its steps are missing
    other.close_stdin()
    assert (read(other), other.wait()) == ("bye\n", 42)
    chaos.figures["cases"] += len(boxes)
    gone(runtime, boxes)


def test_a_node_that_is_down(runtime: Runtime, chaos: Chaos, as_root: Any) -> None:
    runs = echo(runtime, "runs", annotations=HERE)
    created = runtime.box("/bin/true", id="created", annotations=HERE)
    boxes = {box: box.job() for box in (runs, created)}
    down = ["scontrol", "update", f"nodename={NODE}", "reason=test", "state=down"]
    assert as_root(down).returncode == 0
    assert runs.wait(BACK) == 137
    assert "node" in runs.annotations()["scrun.end-reason"]
    assert created.wait(BACK) == 137
    assert "node" in created.annotations()["scrun.end-reason"]
    assert "a node of the job failed" in runtime.fails("start", created.id)
    chaos.figures["cases"] += len(boxes)
    gone(runtime, boxes)


@pytest.mark.parametrize("how", [how for how in OUTAGES if f"munged {how}" in CHOSEN])
def test_munged(runtime: Runtime, chaos: Chaos, how: str) -> None:
    goes_on, ends, killed, cancelled = (echo(runtime, name) for name in ("goes-on", "ends", "killed", "cancelled"))
    created = runtime.box("/bin/sh", "-c", "exit 5", id="created")
    boxes = {box: box.job() for box in (goes_on, ends, killed, cancelled, created)}
    with Start(runtime, created) as start:
        with OUTAGES[how](MUNGE), idle([box.anchor for box in boxes]):
            new = runtime.begin("/bin/true", id="new")
            os.kill(cancelled.anchor, signal.SIGINT)
            chaos.kill(runtime, killed)
            assert killed.wait() == 137
            assert runtime("kill", goes_on.id, "USR1").returncode == 0
            # After 10 s slurmctld breaks off connections on which nothing comes.
            pass_time(13 if chaos.complete else 0)
        chaos.figures["cases"] += len(boxes) + 1
        assert start.result(BACK) == (0, "")
    assert created.wait() == 5
    assert runtime.creating[new.id].wait(timeout=BACK) == 0
    assert runtime("delete", new.id).returncode == 0
    assert read_line(goes_on) == "got"
    assert runtime("kill", goes_on.id, "USR1").returncode == 0
    assert read_line(goes_on) == "got"
    for box in (goes_on, ends):
        box.close_stdin()
        assert (read(box), box.wait(BACK)) == ("bye\n", 42)
    assert cancelled.wait(BACK) in {130, 137, 143}
    gone(runtime, boxes)
