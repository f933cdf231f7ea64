"""What docker does to a container by itself or lets one change, and what it removes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.podman import READY

if TYPE_CHECKING:
    from tests.oci.docker import Docker


def test_run_returns_while_the_program_goes_on(docker: Docker) -> None:
    # docker reads start's output to its end: nothing that goes on may keep it.
    begin = time.monotonic()
    name = docker.detached("busybox", "sleep", "300")
    assert time.monotonic() - begin < 15
    assert docker.status(name) == ("running", 0)


def test_top_shows_the_anchor(docker: Docker) -> None:
    name = docker.ready(READY)
    pid = docker.inspect(name, ".State.Pid")
    assert docker.state(docker.id(name))["pid"] == int(pid)
    assert docker.ok("top", name, "-o", "pid").split() == ["PID", pid]


def test_a_restart_policy(docker: Docker, wait_until: Any) -> None:
    name = docker.detached("--restart", "on-failure:2", "busybox", "sh", "-c", "echo $SLURM_JOB_ID; exit 5")
    wait_until(lambda: docker.status(name) == ("exited", 5), 40, interval=0.1)
    assert docker.inspect(name, ".RestartCount") == "2"
    jobs = docker.ok("logs", name).split()
    assert len(set(jobs)) == 3


def test_a_restart_policy_taken_back(docker: Docker) -> None:
    name = docker.ready(f'trap "exit 6" USR1; {READY}', "--restart", "always")
    docker.ok("update", "--restart", "no", name)
    docker.ok("kill", "--signal", "USR1", name)
    assert docker.ok("wait", name) == "6"
    assert docker.status(name) == ("exited", 6)


def test_limits_cannot_be_updated(docker: Docker) -> None:
    if docker.ok("info", "--format", "{{.CPUCfsQuota}}") != "true":
        pytest.skip("dockerd refuses it itself on a machine without the control group of processors")
    name = docker.ready(READY)
    done = docker("update", "--cpus", "2", name)
    assert done.returncode == 1
    assert "update cannot change this of a Slurm job" in done.stderr


@pytest.mark.parametrize("state", ["created", "running", "exited", "restarting"])
def test_rm_in_each_state(docker: Docker, wait_until: Any, state: str) -> None:
    name = docker.name()
    options = ("--network", "none", "--name", name)
    if state == "created":
        docker.ok("create", *options, "busybox", "true")
    elif state == "running":
        docker.ok("run", "-d", *options, "busybox", "sh", "-c", f'trap "" TERM; {READY}')
    elif state == "exited":
        docker.ok("run", *options, "busybox", "true")
    else:
        docker.ok("run", "-d", "--restart", "always", *options, "busybox", "true")
        wait_until(lambda: docker.status(name)[0] == "restarting", 30)
    container_id = docker.id(name)
    job = docker.job(container_id)
    docker.ok("rm", "--force", name, timeout=15)
    assert not docker.exists(name)
    wait_until(lambda: not docker.left(container_id, job), 10, what="nothing left")
