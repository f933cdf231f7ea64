"""A job of higher priority takes the node: Slurm sends SIGCONT and SIGTERM, waits for the grace time, and kills.

Partitions of the test cluster: jobs of "urgent" preempt those of "yields" and "requeues" (what is interactive cannot be
put back into the queue, and is cancelled there, too). Where Slurm schedules in gangs, those of "pauses" are suspended
until the urgent one has ended.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
from typing import TYPE_CHECKING, Any

import pytest

from .ordeal import GOT, forget, nothing_left, read, read_line
from .sabotage import CONF, CONTROLLER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

NODE = "node3"
LIMIT = 40.0
LOOP = "echo ready >&2; while :; do sleep 0.1; done"
PROGRAMS = {
    "polite": (f"trap 'echo continued >&2' CONT; trap 'echo bye >&2; exit 3' TERM; {LOOP}", "exited", 3),
    "obedient": (f"trap 'exit 143' TERM; {LOOP}", "preempted", 143),
    "deaf": (f"trap '' TERM; {LOOP}", "preempted", 137),
}
"""Script, and how it ends: what a program chooses itself always wins; 143 is also a death of SIGTERM."""


@pytest.fixture
def gangs(nodes: None) -> Iterator[None]:
    """Slurm schedules in gangs: a setting for which slurmctld has to be started anew."""
    before = CONF.read_text()
    after = before.replace("\nPreemptMode=REQUEUE\n", "\nPreemptMode=SUSPEND,GANG\n")
    after = after.replace("PartitionName=pauses", "PartitionName=pauses PreemptMode=SUSPEND")

    def restart(text: str) -> None:
        with CONTROLLER.killed(signal.SIGTERM):
            CONF.write_text(text)

    restart(after)
    yield
    restart(before)


def test_preempted(runtime: Runtime, as_user: Any, chaos: Chaos) -> None:
    for partition in chaos.some(["yields", "requeues"], 1):
        preempt(runtime, as_user, chaos, partition)


def on_the_node(partition: str) -> dict[str, str]:
    """Annotations of containers of which four fill the node."""
    return {"scrun.partition": partition, "scrun.nodelist": NODE, "scrun.cpus-per-task": "4"}


@contextlib.contextmanager
def urgent(as_user: Any) -> Iterator[None]:
    """A job that needs the whole node, and has it at once."""
    name = f"urgent-{secrets.token_hex(4)}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={name}", "--partition=urgent", f"--nodelist={NODE}"]
    try:
        done = as_user([*words, "--cpus-per-task=16"], timeout=90)
        assert done.returncode == 0, done.stderr
        yield
    finally:
        as_user(["scancel", f"--name={name}"])


def preempt(runtime: Runtime, as_user: Any, chaos: Chaos, partition: str) -> None:
    wanted = on_the_node(partition)

    def running(name: str) -> Box:
        box = runtime.running("/bin/sh", "-c", PROGRAMS[name][0], id=name, annotations=wanted)
        assert read_line(box) == "ready"
        return box

    boxes = {name: running(name) for name in PROGRAMS}
    boxes["created"] = runtime.box("/bin/true", id="created", annotations=wanted)
    jobs = {name: box.job() for name, box in boxes.items()}
    with urgent(as_user):
        for name, box in boxes.items():
            _, kind, code = PROGRAMS.get(name, ("", "preempted", 137))
            assert box.wait(LIMIT) == code, name
            annotations = box.annotations()
            assert annotations["scrun.end"] == kind, annotations
            if kind == "preempted":
                assert annotations["scrun.end-reason"] == "the job was preempted"
                assert "the job was preempted" in (runtime.root / name / "log").read_text()
            # The polite one's shell turns to both signals at once, and to either first.
            said = read(box).replace("continued\n", "")
            # A program that was never started has no words, and nobody whom they would reach.
            expected = {"polite": "bye", "created": ""}.get(name, "scrun: the job was preempted")
            assert said.splitlines()[-1:] == [expected] * bool(expected), said
            runtime.ok("delete", name)
            forget(runtime, box)
            nothing_left(runtime, name, jobs[name])
            chaos.figures["cases"] += 1


@pytest.mark.outage
@pytest.mark.may_leave("children")  # the new slurmctld is adopted by the tests
@pytest.mark.usefixtures("gangs")
def test_suspended_by_preemption(runtime: Runtime, as_user: Any, chaos: Chaos) -> None:
    """The program pauses as long as the other job has the node; KILL ends it in the pause, a signal waits."""
    boxes = [
        runtime.running("/bin/sh", "-c", GOT, id=name, annotations=on_the_node("pauses"))
        for name in ("goes-on", "killed")
    ]
    goes_on, killed = boxes
    created = runtime.box("/bin/sh", "-c", "exit 4", id="created", annotations=on_the_node("pauses"))
    jobs = {box.id: box.job() for box in (*boxes, created)}
    for box in boxes:
        assert read_line(box) == "ready"
    with urgent(as_user):
        for box in (*boxes, created):
            runtime.wait_until(lambda box=box: runtime.job_state(jobs[box.id]) == "SUSPENDED", LIMIT)
            assert box.state()["status"] == ("created" if box is created else "running")
        runtime.ok("kill", killed.id, "KILL")
        assert killed.wait(LIMIT) == 137
        runtime.ok("kill", goes_on.id, "USR1")
    assert read_line(goes_on) == "got"
    runtime.ok("kill", goes_on.id, "KILL")
    assert goes_on.wait(LIMIT) == 137
    assert read(goes_on) == ""
    runtime.wait_until(lambda: runtime.job_state(jobs[created.id]) == "RUNNING", LIMIT)
    runtime.ok("start", created.id)
    assert created.wait(LIMIT) == 4
    for box in (*boxes, created):
        runtime.ok("delete", box.id)
        forget(runtime, box)
        nothing_left(runtime, box.id, jobs[box.id])
        chaos.figures["cases"] += 1
