"""A container in the background, with either engine: logs, wait, stop, kill, restart, inspect, ps."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.podman import READY

if TYPE_CHECKING:
    from tests.conftest import Runner
    from tests.oci.node import Node
    from tests.oci.podman import Podman


@pytest.mark.slice
def test_logs_follow_until_the_end(engine: Podman) -> None:
    script = "for i in 1 2 3; do echo $i; echo e$i >&2; sleep 0.2; done; exit 4"
    name = engine.detached("busybox", "sh", "-c", script)
    follower = engine.start("logs", "-f", name, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, error = follower.communicate(timeout=60)
    assert (output, error) == (b"1\n2\n3\n", b"e1\ne2\ne3\n")
    assert engine.ok("wait", name) == "4"
    assert engine.status(name) == ("exited", 4)


def test_what_ps_and_inspect_say(engine: Podman) -> None:
    name = engine.ready(READY)
    container_id = engine.id(name)
    assert engine.inspect(name, ".State.Status") == "running"
    pid = int(engine.inspect(name, ".State.Pid"))
    state = engine.state(container_id)
    assert (state["pid"], state["status"]) == (pid, "running")
    assert engine.job_state(engine.job(container_id)) == "RUNNING"
    assert engine.ok("ps", "--filter", f"name={name}", "--format", "{{.Names}} {{.Status}}").startswith(f"{name} Up ")
    engine.ok("kill", name)
    assert engine.ok("wait", name) in {"137", "143"}
    assert engine.inspect(name, ".State.Pid") == "0"


@pytest.mark.slice
def test_stop_asks_first(engine: Podman) -> None:
    name = engine.ready(f'trap "echo bye; exit 3" TERM; {READY}')
    engine.ok("stop", "--time", "30", name)
    assert engine.status(name) == ("exited", 3)
    assert engine.ok("logs", name) == "ready\nbye"


@pytest.mark.slice
def test_stop_kills_who_does_not_listen(engine: Podman, wait_until: Any) -> None:
    name = engine.ready(f'trap "" TERM; {READY}')
    container_id = engine.id(name)
    job = engine.job(container_id)
    engine.ok("stop", "--time", "1", name)
    assert engine.status(name) == ("exited", 137)
    wait_until(lambda: not engine.left(container_id, job), 10, what="nothing left")


def test_a_job_that_slurm_cannot_kill(engine: Podman, node: Node, wait_until: Any) -> None:
    name = engine.ready(f'trap "" TERM; {READY}', "-e", f"SCRUN_NODELIST={node.name}")
    container_id = engine.id(name)
    job = engine.job(container_id)
    node.fall_silent()
    engine.ok("stop", "--time", "1", name, timeout=30)
    assert engine.status(name) == ("exited", 137)
    engine.ok("rm", name)
    assert engine.job_state(job) in {"RUNNING", "COMPLETING"}
    node.answer()
    wait_until(lambda: engine.job_state(job) == "CANCELLED" and not engine.left(container_id), 30, what="the job's end")


def test_removal_while_slurm_ends_the_job(engine: Podman, as_root: Runner, wait_until: Any) -> None:
    """A job that is cancelled takes no signal any more, and its program has ``KillWait`` to end."""
    name = engine.ready(f'trap "" TERM; {READY}')
    container_id = engine.id(name)
    job = engine.job(container_id)
    as_root(["scancel", str(job)])
    wait_until(lambda: engine.job_state(job) in {"COMPLETING", "CANCELLED"}, 10, what="the end of the job's time")
    engine.ok("rm", "--force", name, timeout=30)
    assert not engine.exists(name)
    wait_until(lambda: engine.job_state(job) == "CANCELLED" and not engine.left(container_id), 30, what="the job's end")


def test_a_stop_signal_of_the_image_s_own(engine: Podman) -> None:
    name = engine.ready(f'trap "exit 6" USR2; {READY}', "--stop-signal", "SIGUSR2")
    engine.ok("stop", "--time", "30", name)
    assert engine.status(name) == ("exited", 6)


@pytest.mark.slice
def test_each_signal_arrives_once(engine: Podman, wait_until: Any) -> None:
    name = engine.ready(f'trap "echo usr1" USR1; trap "echo hup" HUP; {READY}')
    for number, signal in enumerate(["USR1", "SIGHUP", "10", "1"], 2):
        engine.ok("kill", "--signal", signal, name)
        wait_until(lambda number=number: len(engine.ok("logs", name).split()) >= number, 20)
    engine.ok("kill", name)
    assert engine.ok("wait", name) == "137"
    assert engine.ok("logs", name).split() == ["ready", "usr1", "hup", "usr1", "hup"]


def test_restart(engine: Podman, wait_until: Any) -> None:
    name = engine.ready(f'trap "exit 0" TERM; {READY}')
    container_id = engine.id(name)
    first = engine.job(container_id)
    engine.ok("restart", name)
    second = engine.job(container_id)
    assert first != second
    assert engine.status(name)[0] == "running"
    wait_until(lambda: engine.ok("logs", name).split() == ["ready", "ready"], 20)
    engine.ok("stop", name)
    engine.ok("start", name)
    assert engine.job(container_id) not in {first, second}


@pytest.mark.slice
def test_rm_removes_everything_at_the_end(engine: Podman, wait_until: Any) -> None:
    name = engine.ready(f'trap "exit 0" TERM; {READY}', "--rm")
    container_id = engine.id(name)
    job = engine.job(container_id)
    engine.ok("stop", name)
    wait_until(lambda: not engine.exists(name), 10)
    wait_until(lambda: not engine.left(container_id, job), 10)


def test_attach(engine: Podman) -> None:
    name = engine.ready('echo ready; read x; echo "got $x"; exit 9', "-i")
    # What attach itself shows differs: docker shows nothing more after the end of its input.
    engine("attach", name, input="word\n")
    assert engine.ok("wait", name) == "9"
    assert engine.ok("logs", name) == "ready\ngot word"
