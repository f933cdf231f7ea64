"""A job of higher priority takes the node: Slurm sends SIGCONT and SIGTERM, waits for the grace time, and kills.

Partitions of the test cluster: jobs of "urgent" preempt those of "yields" and "requeues" (what is interactive cannot be
put back into the queue, and is cancelled there, too).
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from .ordeal import forget, nothing_left, read, read_line

if TYPE_CHECKING:
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


def test_preempted(runtime: Runtime, as_user: Any, chaos: Chaos) -> None:
    for partition in chaos.some(["yields", "requeues"], 1):
        preempt(runtime, as_user, chaos, partition)


def preempt(runtime: Runtime, as_user: Any, chaos: Chaos, partition: str) -> None:
    wanted = {"scrun.partition": partition, "scrun.nodelist": NODE, "scrun.cpus-per-task": "4"}

    def running(name: str) -> Box:
        box = runtime.running("/bin/sh", "-c", PROGRAMS[name][0], id=name, annotations=wanted)
        assert read_line(box) == "ready"
        return box

    boxes = {name: running(name) for name in PROGRAMS}
    boxes["created"] = runtime.box("/bin/true", id="created", annotations=wanted)
    jobs = {name: box.job() for name, box in boxes.items()}
    urgent = f"urgent-{secrets.token_hex(4)}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={urgent}", "--partition=urgent", f"--nodelist={NODE}"]
    try:
        assert as_user([*words, "--cpus-per-task=16"], timeout=90).returncode == 0
        for name, box in boxes.items():
            _, kind, code = PROGRAMS.get(name, ("", "preempted", 137))
            assert box.wait(LIMIT) == code, name
            annotations = box.annotations()
            assert annotations["scrun.end"] == kind, annotations
            if kind == "preempted":
                assert annotations["scrun.end-reason"] == "the job was preempted"
                assert "the job was preempted" in (runtime.root / name / "log").read_text()
            said = read(box)
            # A program that was never started has no words, and nobody whom they would reach.
            expected = {"polite": "bye", "created": ""}.get(name, "scrun: the job was preempted")
            assert said.splitlines()[-1:] == [expected] * bool(expected), said
            runtime.ok("delete", name)
            forget(runtime, box)
            nothing_left(runtime, name, jobs[name])
            chaos.figures["cases"] += 1
    finally:
        as_user(["scancel", f"--name={urgent}"])
