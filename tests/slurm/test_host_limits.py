"""Limits of this host that are reached: a sentence, and nothing left; what runs waits until there is room again."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.chaos.ordeal import staging_of
from tests.chaos.witness import find
from tests.conftest import alive

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime


@pytest.mark.parametrize("limit", ["nproc=1", "nproc=4", "nofile=24", "nofile=40"])
def test_no_room_for_another_container(runtime: Runtime, limit: str) -> None:
    """Of processes a user always has more than so few: those of this call."""
    runtime.ids.append("x")
    words = runtime.words("run", "--bundle", str(runtime.bundle("/bin/true")), "x")
    done = runtime.runner(["/usr/bin/prlimit", f"--{limit}", *words])
    sentence = runtime.failed(done.returncode, done.stdout, done.stderr)
    assert "scrun doctor says" in sentence
    runtime.wait_until(lambda: runtime.left("x") == [], what=f"nothing left, but {runtime.left('x')}")
    assert not staging_of("x")
    assert runtime.runner(["squeue", "--noheader", "--name=x"]).stdout == ""


def limit_anchor(box: Box, *words: str) -> str:
    done = box.runtime.runner(["/usr/bin/prlimit", f"--pid={box.anchor}", *words])
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_what_runs_waits_for_room(runtime: Runtime) -> None:
    """The limit is the anchor's alone: others of the user start commands meanwhile."""
    box = runtime.running("/bin/sh", "-c", "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done")
    assert box.read_line() == "ready"
    most = limit_anchor(box, "--nproc", "--output=SOFT", "--noheadings")
    limit_anchor(box, "--nproc=1:")
    for role in ("guard", "state"):
        pid = find(box.anchor, role)
        os.kill(pid, signal.SIGKILL)
        runtime.wait_until(lambda: not alive(pid))  # noqa: B023 - called at once
    log = runtime.root / box.id / "log"
    for role in ("the guard", "state"):
        runtime.wait_until(lambda: f"{role} cannot be started now" in log.read_text())  # noqa: B023 - called at once
    limit_anchor(box, f"--nproc={most}:")
    runtime.wait_until(lambda: find(box.anchor, "guard") and find(box.anchor, "state"), what="those who died")
    runtime.ok("kill", box.id, "TERM")
    assert box.wait() == 7
