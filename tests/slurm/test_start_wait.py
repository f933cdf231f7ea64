"""``start_wait``: ``start`` returns while the job is queued; the container runs for its engine, and later in truth."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.test_queue import NODE, WAITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.runtime import Box, Runtime

SITE = "[scrun]\ncreate_wait = 0.2\nstart_wait = 0.2\n"
SCRIPT = """
function slurm_scrun_stage_in(...) error("no such shelf") end
function slurm_scrun_stage_out(...) return slurm.SUCCESS end
return slurm.SUCCESS
"""
ECHO = "echo ran; cat; exit 6"


def promised(runtime: Runtime, **more: Any) -> Box:
    """A container that is started and whose job is queued."""
    site = runtime.site(SITE)
    box = runtime.box("/bin/sh", "-c", ECHO, annotations=WAITS, environ=site, **more)
    runtime.ok("start", box.id)
    return box


def test_it_is_running_and_queued(runtime: Runtime, filled: Callable[[], None]) -> None:
    box = promised(runtime, stdin=True)
    box.write(b"early\n")
    state = box.state()
    assert (state["status"], state["scrun"]["phase"]) == ("running", "queued")
    assert state["annotations"]["scrun.job-state"] == "PENDING"
    assert runtime.job_state(box.job()) == "PENDING"
    done = runtime("exec", box.id, "/bin/true")
    assert (done.returncode, "not running yet" in done.stderr) == (255, True)
    runtime.log.unlink()
    assert "container not running" in runtime.fails("pause", box.id)
    assert "already running" in runtime.fails("start", box.id)
    assert "that is not stopped" in runtime.fails("delete", box.id)
    assert not box.ended()
    filled()
    runtime.wait_until(lambda: box.state()["scrun"]["phase"] == "running", 60)
    box.close_stdin()
    assert box.wait() == 6
    assert box.read() == "ran\nearly\n"
    assert box.annotations()["scrun.nodes"] == NODE


@pytest.mark.parametrize("killed", ["state", "allocation"])
def test_whoever_is_replaced_knows_it(runtime: Runtime, filled: Callable[[], None], killed: str) -> None:
    box = promised(runtime)
    old = box.tree()[killed]
    os.kill(old[0], signal.SIGKILL)
    runtime.wait_until(lambda: box.tree().get(killed, old)[1] > old[1])
    assert box.state()["status"] == "running"
    filled()
    assert box.wait(60) == 6
    assert box.read() == "ran\n"


@pytest.mark.parametrize("way", ["TERM", "KILL", "SIGINT", "delete", "death of the anchor"])
def test_it_is_ended_while_it_waits(runtime: Runtime, filled: Callable[[], None], way: str) -> None:
    del filled
    box = promised(runtime)
    job = box.job()
    if way == "SIGINT":
        os.kill(box.anchor, signal.SIGINT)
    elif way == "delete":
        runtime.ok("delete", "--force", box.id)
    elif way == "death of the anchor":
        os.kill(box.anchor, signal.SIGKILL)
    else:
        runtime.ok("kill", box.id, way)
    codes = {"TERM": 143, "KILL": 137, "SIGINT": 130, "delete": 137, "death of the anchor": -9}
    assert box.wait(10) == codes[way]
    runtime.wait_until(lambda: runtime.released(job), 10)
    assert box.read() == ""
    if way != "delete":
        runtime.wait_until(lambda: box.state()["status"] == "stopped")
        runtime.ok("delete", box.id)
    runtime.wait_until(lambda: not runtime.left(box.id), 10)


def test_scancel_while_it_waits_is_told_as_the_end_of_a_program(
    runtime: Runtime, filled: Callable[[], None], as_user: Any
) -> None:
    del filled
    box = promised(runtime)
    as_user(["scancel", str(box.job())])
    assert box.wait(20) == 137
    assert box.annotations()["scrun.end"] == "cancelled"
    assert box.read("err") == f"scrun: {box.annotations()['scrun.end-reason']}\n"


def test_a_staging_that_fails_later_is_told_as_the_end_of_a_program(
    runtime: Runtime, filled: Callable[[], None]
) -> None:
    runtime.site(SITE)
    assert runtime.runner(["tee", str(runtime.directory / "site/scrun.lua")], SCRIPT).returncode == 0
    box = promised(runtime)
    job = box.job()
    filled()
    assert box.wait(60) == 125
    assert box.annotations()["scrun.end"] == "staging-failed"
    assert re.fullmatch(r"scrun: .*no such shelf\n", box.read("err"))
    runtime.wait_until(lambda: runtime.released(job))


def test_a_launch_that_fails_later_is_told_as_the_end_of_a_program(runtime: Runtime) -> None:
    words = ["salloc", "--quiet", "--no-shell", "--partition=bare", "--exclusive", "--job-name=takes-the-bare-one"]
    assert runtime.runner(words, timeout=90).returncode == 0
    try:
        site = runtime.site(SITE)
        box = runtime.box("/bin/true", annotations={"scrun.partition": "bare"}, environ=site)
        runtime.ok("start", box.id)
        assert box.state()["scrun"]["phase"] == "queued"
    finally:
        runtime.runner(["scancel", "--name=takes-the-bare-one"])
    assert box.wait(60) == 125
    assert box.annotations()["scrun.end"] == "launch-failed"
    # (slurmstepd's own line comes before it.)
    assert re.search(r"^scrun: node bare1 has no oci.conf.*\n\Z", box.read("err"), re.MULTILINE)
