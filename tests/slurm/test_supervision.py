"""Any process of a container may be killed: only the anchor's death ends it, and then nothing is left."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.chaos.witness import children_of, find
from tests.conftest import alive, all_pids, read_proc, state_and_parent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime

ACTORS = ("state", "allocation", "stdio", "signals", "staging")
LIMIT = 10.0
"""Seconds in which nothing may be left after the anchor's death: the design's promise."""


@pytest.fixture
def talker(runtime: Runtime) -> Box:
    """A container that answers each line with its number and the line, and exits with 42 at the end of input."""
    script = 'n=0; echo ready; while read -r line; do n=$((n + 1)); echo "$n $line"; done; exit 42'
    box = runtime.running("/bin/sh", "-c", script, stdin=True)
    assert box.read_line() == "ready"
    return box


def killed(box: Box, name: str) -> None:
    """Kill a command that the anchor has started."""
    [pid] = [pid for pid in children_of(box.anchor) if read_proc(pid, "comm") == f"{name}\n".encode()]
    os.kill(pid, signal.SIGKILL)
    box.runtime.wait_until(lambda: not alive(pid))


def test_kill_9_of_salloc_takes_nobody_s_job(runtime: Runtime) -> None:
    """It is there for the start, and given back at the end."""
    box = runtime.box("/bin/sh", "-c", "echo ran; exit 4")
    job = box.job()
    killed(box, "salloc")
    # Once because salloc has ended, and once because its words were looked at again.
    runtime.wait_until(lambda: (runtime.root / box.id / "watch-3.log").exists() or box.ended())
    runtime.ok("start", box.id)
    assert (box.read(), box.wait()) == ("ran\n", 4)
    runtime.wait_until(lambda: runtime.released(job))


def test_kill_9_of_anchor_and_guard_and_nobody_calls_delete(runtime: Runtime) -> None:
    """What salloc has started ends with the last who holds the job, and salloc with it."""
    box = runtime.running("/bin/sleep", "600")
    job = box.job()
    os.kill(box.anchor, signal.SIGSTOP)  # or it would replace its guard
    os.kill(find(box.anchor, "guard"), signal.SIGKILL)
    os.kill(box.anchor, signal.SIGKILL)
    runtime.wait_until(lambda: runtime.released(job), 10)
    assert box.state()["status"] == "stopped"


@pytest.fixture
def filled(as_user: Any) -> Iterator[str]:
    """A partition option that makes a job wait: what it asks for is occupied."""
    name = f"filler-{os.getpid()}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={name}", "--nodelist=node3", "--cpus-per-task=16"]
    assert as_user(words, timeout=90).returncode == 0
    yield "node3"
    as_user(["scancel", f"--name={name}"])


def guard_of(anchor: int) -> int:
    """The anchor's child that waits for its death, once it has become what it waits as; else 0."""
    for pid in all_pids():
        if state_and_parent(pid)[1] == anchor and read_proc(pid, "cmdline").startswith(b"scrun-guard\0"):
            return pid
    return 0


def replaced(box: Box, actor: str, pid: int, incarnation: int) -> bool:
    now = box.tree().get(actor, (pid, 0))
    return now[0] != pid and now[1] == incarnation + 1 and alive(now[0])


def gone(runtime: Runtime, box: Box, job: int) -> bool:
    processes = [found for found in runtime.left(box.id) if found.startswith("process")]
    return box.ended() and not processes and runtime.released(job)


def test_kill_9_of_each_actor_goes_unnoticed_by_the_container(runtime: Runtime, talker: Box) -> None:
    job = talker.job()
    for number, actor in enumerate(ACTORS, 1):
        tree = talker.tree()
        if actor not in tree:
            assert actor not in {"state", "stdio"}, tree  # stdio has just moved a line
            talker.write(b"\n")
            assert talker.read_line() == f"{number} "
            continue
        os.kill(tree[actor][0], signal.SIGKILL)
        talker.write(f"after {actor}\n".encode())
        assert talker.read_line() == f"{number} after {actor}"
        runtime.wait_until(lambda actor=actor, old=tree[actor]: replaced(talker, actor, *old), what=f"a new {actor}")
    assert (talker.state()["status"], talker.job()) == ("running", job)
    talker.write(b"last")
    talker.close_stdin()
    assert talker.wait() == 42
    assert talker.read() == ""
    assert talker.annotations()["scrun.exit-code"] == "42"
    runtime.wait_until(lambda: runtime.released(job))


def test_kill_9_of_all_actors_at_once(runtime: Runtime, talker: Box) -> None:
    tree = talker.tree()
    for actor, (pid, _) in tree.items():
        if actor != "anchor":
            os.kill(pid, signal.SIGKILL)
    talker.write(b"still there?\n")
    assert talker.read_line() == "1 still there?"
    for actor, old in tree.items():
        if actor != "anchor":
            runtime.wait_until(lambda actor=actor, old=old: replaced(talker, actor, *old), what=f"a new {actor}")
    assert {"state", "stdio"} <= tree.keys()
    runtime.ok("kill", talker.id, "KILL")
    assert talker.wait() == 137


def test_an_actor_that_is_stopped_is_replaced(runtime: Runtime, talker: Box) -> None:
    pid, incarnation = talker.tree()["stdio"]
    os.kill(pid, signal.SIGSTOP)
    runtime.wait_until(lambda: replaced(talker, "stdio", pid, incarnation), 20, what="a new stdio actor")
    runtime.ok("kill", talker.id, "KILL")
    assert talker.wait() == 137


def test_kill_9_of_the_guard_is_made_good(runtime: Runtime, talker: Box) -> None:
    guard = runtime.wait_until(lambda: guard_of(talker.anchor), what="the guard")
    os.kill(guard, signal.SIGKILL)
    successor = runtime.wait_until(lambda: (pid := guard_of(talker.anchor)) != guard and pid, what="a new guard")
    job = talker.job()
    # And it does its duty.
    os.kill(talker.anchor, signal.SIGKILL)
    runtime.wait_until(lambda: gone(runtime, talker, job), LIMIT)
    assert not alive(successor)


def test_point_12_the_job_is_cancelled_when_the_anchor_is_killed(runtime: Runtime, talker: Box) -> None:
    job = talker.job()
    os.kill(talker.anchor, signal.SIGKILL)
    runtime.wait_until(lambda: gone(runtime, talker, job), LIMIT, what=f"{runtime.left(talker.id)}")
    assert talker.wait() == -signal.SIGKILL
    state = talker.state()
    assert (state["status"], state["pid"]) == ("stopped", 0)
    assert "anchor" in state["annotations"]["scrun.end-reason"]
    assert talker.read() == ""
    runtime.ok("delete", talker.id)
    assert runtime.left(talker.id) == []


def test_killed_while_it_is_created_the_anchor_leaves_nothing(runtime: Runtime, filled: str) -> None:
    box = runtime.begin("/bin/true", annotations={"scrun.nodelist": filled, "scrun.cpus-per-task": "16"})
    runtime.wait_until(box.job, 20, what="a queued job")
    box.anchor = int(box.state()["pid"])
    job = box.job()
    os.kill(box.anchor, signal.SIGKILL)
    process = runtime.creating[box.id]
    runtime.wait_until(lambda: process.poll() is not None, LIMIT, what="end of create")
    assert process.returncode not in {0, None}
    runtime.wait_until(lambda: runtime.released(job) and not runtime.left(box.id), LIMIT, what="nothing left")


def test_SIGINT_to_the_anchor_cancels_a_queued_container(runtime: Runtime, filled: str) -> None:
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    box = runtime.box("/bin/true", annotations={"scrun.nodelist": filled, "scrun.cpus-per-task": "16"}, environ=site)
    job = box.job()
    assert runtime.job_state(job) == "PENDING"
    os.kill(box.anchor, signal.SIGINT)
    assert box.wait(LIMIT) == 130
    assert runtime.released(job)
    state = box.state()
    assert (state["status"], state["annotations"]["scrun.end"]) == ("stopped", "cancelled")
    assert "SIGINT" in state["annotations"]["scrun.end-reason"]


def test_SIGINT_to_the_anchor_cancels_a_running_container(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", 'trap "echo TERM; exit 5" TERM; echo ready; while :; do sleep 0.1; done')
    assert box.read_line() == "ready"
    job = box.job()
    os.kill(box.anchor, signal.SIGINT)
    assert box.read() == "TERM\n"
    assert box.wait(LIMIT) == 5
    assert runtime.released(job)
    annotations = box.annotations()
    assert (annotations["scrun.end"], annotations["scrun.exit-code"]) == ("cancelled", "5")
    assert "SIGINT" in annotations["scrun.end-reason"]


def test_a_second_SIGINT_does_not_wait_for_the_program(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", 'trap "echo TERM" TERM; echo ready; while :; do sleep 0.1; done')
    assert box.read_line() == "ready"
    os.kill(box.anchor, signal.SIGINT)
    assert box.read_line() == "TERM"
    assert not box.ended()
    os.kill(box.anchor, signal.SIGINT)
    # Less than the ten seconds of grace after the first one.
    assert box.wait(8) == 137
    assert box.annotations()["scrun.end"] == "cancelled"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2])
def test_other_signals_to_the_anchor_go_to_the_program_once(runtime: Runtime, signum: signal.Signals) -> None:
    name = signum.name.removeprefix("SIG")
    script = f'trap "echo got" {name}; echo ready; while :; do sleep 0.05; done'
    box = runtime.running("/bin/sh", "-c", script)
    assert box.read_line() == "ready"
    os.kill(box.anchor, signum)
    assert box.read_line() == "got"
    # What follows goes the same way, so a second delivery would have been seen before it.
    os.kill(box.anchor, signum)
    assert box.read_line() == "got"
    runtime.ok("kill", box.id, "KILL")
    assert box.read() == ""
    assert box.wait() == 137
