"""``scrun pause`` and ``scrun resume``: what each state makes of them, and what ends a paused container."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime

SCRIPT = "trap 'echo got >&2' USR1; trap 'echo bye >&2; exit 3' TERM; echo ready >&2; while :; do sleep 0.1; done"


@pytest.fixture
def paused(runtime: Runtime) -> Box:
    box = runtime.running("/bin/sh", "-c", SCRIPT)
    assert box.read_line("err") == "ready"
    runtime.ok("pause", box.id)
    state = box.state()
    assert (state["status"], state["pid"], state["scrun"]["phase"]) == ("paused", box.anchor, "paused")
    return box


@pytest.mark.slice
def test_a_signal_waits_for_the_end_of_the_pause(runtime: Runtime, paused: Box) -> None:
    runtime.ok("kill", paused.id, "USR1")
    assert paused.state()["status"] == "paused"
    runtime.ok("resume", paused.id)
    assert paused.state()["status"] == "running"
    assert paused.read_line("err") == "got"
    runtime.ok("kill", paused.id, "TERM")
    assert paused.wait() == 3
    assert paused.read("err").endswith("bye\n")  # slurmstepd has words of its own


def test_signals_by_number_are_the_same(runtime: Runtime, paused: Box) -> None:
    runtime.ok("kill", paused.id, "CONT")
    assert paused.state()["status"] == "running"
    runtime.ok("kill", paused.id, "STOP")
    assert paused.state()["status"] == "paused"


@pytest.mark.parametrize("way", ["KILL", "delete", "SIGINT twice"])
def test_it_can_be_ended(runtime: Runtime, paused: Box, way: str) -> None:
    job = paused.job()
    assert runtime.fails("delete", paused.id) == f"cannot delete container {paused.id} that is not stopped: paused"
    if way == "KILL":
        runtime.ok("kill", paused.id, "KILL")
        assert paused.wait() == 137
    elif way == "delete":
        runtime.ok("delete", "--force", paused.id)
        assert paused.wait() in {137, -signal.SIGKILL}
    else:
        os.kill(paused.anchor, signal.SIGINT)
        runtime.wait_until(lambda: "cancel-requested" in runtime("console", paused.id, "journal").stdout)
        os.kill(paused.anchor, signal.SIGINT)
        assert paused.wait() in {130, 137}
    runtime.wait_until(lambda: runtime.released(job))


def test_what_is_not_running_is_not_paused(runtime: Runtime) -> None:
    box = runtime.box("/bin/true")
    assert runtime.fails("pause", box.id) == "container not running"
    assert runtime.fails("resume", box.id) == "container not paused"
    runtime.ok("start", box.id)
    assert box.wait() == 0
    assert runtime.fails("pause", box.id) == "container not running"
    assert runtime.fails("pause", "nobody") == "container nobody does not exist"


def test_it_stays_paused_for_a_new_state_actor(runtime: Runtime, paused: Box) -> None:
    before = paused.tree()["state"]
    os.kill(before[0], signal.SIGKILL)
    runtime.wait_until(lambda: paused.tree().get("state", before) != before)
    assert paused.state()["status"] == "paused"
    done = runtime("exec", paused.id, "/bin/true")
    assert done.returncode == 255
    assert "cannot exec in a paused container (use --ignore-paused to override)" in done.stderr
    runtime.log.unlink()
    runtime.ok("resume", paused.id)
