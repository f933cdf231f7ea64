"""Many containers, one after another and at once: afterwards everything is as it was."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from actors.stdio.census import descriptors

from .ordeal import ECHO, forget, in_parallel, jobs_by_cookie, nothing_left, read, read_line
from .witness import find

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

    from .conftest import Chaos

ROLES = ("anchor", "state", "allocation", "stdio", "signals", "guard")


def one(runtime: Runtime, name: str) -> int:
    box = runtime.running("/bin/sh", "-c", ECHO, id=name, stdin=True)
    assert read_line(box) == "ready"
    box.close_stdin()
    job = box.job()
    assert (read(box), box.wait()) == ("bye\n", 42)
    runtime.ok("delete", name)
    forget(runtime, box)
    nothing_left(runtime, name, job)
    return job


def test_one_after_another(runtime: Runtime, chaos: Chaos) -> None:
    count = 60 if chaos.complete else 8
    before = len(os.listdir("/proc/self/fd"))
    jobs = {one(runtime, f"row-{number}") for number in range(count)}
    assert len(jobs) == count
    assert os.listdir(runtime.root) == []
    assert len(os.listdir("/proc/self/fd")) == before
    chaos.figures["containers without a trace"] += count


def test_many_at_once(runtime: Runtime, chaos: Chaos) -> None:
    count = 16 if chaos.complete else 8
    jobs = set(in_parallel([f"crowd-{number}" for number in range(count)], lambda name: one(runtime, name), count))
    assert len(jobs) == count
    assert os.listdir(runtime.root) == []
    alive = [line for line in jobs_by_cookie(runtime).splitlines() if "RUNNING" in line]
    assert not jobs & {int(line.split()[0]) for line in alive}
    chaos.figures["containers without a trace"] += count


def test_no_process_gains_descriptors(runtime: Runtime) -> None:
    """Twenty signals and ten questions later each has as many as before."""
    box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"

    def census() -> dict[str, int]:
        return {role: len(descriptors(find(box.anchor, role))) for role in ROLES}

    runtime.ok("kill", box.id, "USR1")
    assert read_line(box) == "got"
    box.tree()
    before = runtime.wait_until(census)
    for _ in range(20):
        runtime.ok("kill", box.id, "USR1")
        assert read_line(box) == "got"
    for _ in range(10):
        box.tree()
    runtime.wait_until(lambda: census() == before, what=f"{before} again; {census()}")
