"""Containers' lives with ``scheduler = "pyslurm"``, against the real package."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from tests.slurm.runtime import WITHOUT_PYSLURM

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.runtime import Runtime

pytestmark = pytest.mark.skipif(not importlib.util.find_spec("pyslurm"), reason=WITHOUT_PYSLURM)

PYSLURM = '[scrun]\nscheduler = "pyslurm"\n'


def test_a_program_s_status_and_its_job_s_end(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "echo out; exit 5", environ=runtime.site(PYSLURM))
    job = box.job()
    assert (box.read(), box.wait()) == ("out\n", 5)
    runtime.wait_until(lambda: runtime.released(job), 10, what="the end of the job")


@pytest.mark.parametrize("name", ["USR1", "TERM"])
def test_a_signal_reaches_the_program(runtime: Runtime, name: str) -> None:
    script = f"trap 'echo heard; exit 3' {name}; echo ready; while :; do sleep 0.1; done"
    box = runtime.running("/bin/sh", "-c", script, environ=runtime.site(PYSLURM))
    assert box.read_line() == "ready"
    runtime.ok("kill", box.id, name)
    assert (box.read_line(), box.wait()) == ("heard", 3)


def test_a_queued_container_runs_when_it_can(runtime: Runtime, filled: Callable[[], None]) -> None:
    place = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    box = runtime.box("/bin/sh", "-c", "exit 4", annotations=place, environ=runtime.site(PYSLURM))
    assert runtime.job_state(box.job()) == "PENDING"
    filled()
    runtime.ok("start", box.id)
    assert box.wait() == 4


def test_a_cancelled_job_is_told_as_such(runtime: Runtime) -> None:
    box = runtime.running("/bin/sleep", "100", environ=runtime.site(PYSLURM))
    assert runtime.runner(["scancel", str(box.job())]).returncode == 0
    assert box.wait() in {137, 143}
    assert box.annotations()["scrun.end"] == "cancelled"


def test_delete_of_a_queued_one_cancels_its_job(runtime: Runtime, filled: Callable[[], None]) -> None:
    place = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    box = runtime.box("/bin/true", annotations=place, environ=runtime.site(PYSLURM))
    job = box.job()
    runtime.ok("delete", "--force", box.id)
    runtime.wait_until(lambda: runtime.released(job), 10, what="the end of the job")


def test_doctor_says_what_it_is_used_for(runtime: Runtime) -> None:
    done = runtime("doctor", "--format=json", environ=runtime.site(PYSLURM))
    row = next(row for row in json.loads(done.stdout) if row["check"] == "pyslurm")
    assert row["level"] == "ok", row
    assert "Slurm's commands do the rest" in row["sentence"]
