"""``pause`` and ``unpause`` by engines: all processes of the container stop on its node, and go on.

By root's podman, since an ordinary user's refuses it itself where it finds control groups of version 1.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests.conftest import read_proc, state_and_parent, wait_until
from tests.oci.podman import processes_with

if TYPE_CHECKING:
    from tests.oci.podman import Podman

STANDS_STILL = {"T", "D"}
"""Stopped by the signal, or by the control group."""


class Pair:
    """A container of a program and its child, both of which say a word when they are told to."""

    def __init__(self, engine: Podman) -> None:
        self.engine = engine
        self.mark = f"mark-{secrets.token_hex(6)}"
        child = f"trap 'echo child' USR1; : {self.mark}; while :; do sleep 0.1; done"
        self.name = engine.ready(f'sh -c "{child}" & trap "echo parent" USR1; echo ready; while :; do sleep 0.1; done')
        self.id = engine.id(self.name)

    def processes(self) -> list[int]:
        """The two of them, on their node, which is this machine; not srun, which has their command line, too."""
        return [pid for pid in processes_with(self.mark) if read_proc(pid, "comm") != b"srun\n"]

    def still(self) -> bool:
        return {state_and_parent(pid)[0] for pid in self.processes()} <= STANDS_STILL


@pytest.fixture(params=["root_podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Podman:
    found: Podman = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def pair(engine: Podman) -> Pair:
    return Pair(engine)


def pause(pair: Pair) -> None:
    pair.engine.ok("pause", pair.name)
    assert pair.engine.status(pair.name)[0] == "paused"
    assert pair.engine.state(pair.id)["status"] == "paused"
    # (a fork of either that has not become sleep yet stands still with it)
    assert 2 <= len(pair.processes()) <= 4
    wait_until(pair.still, what="all processes stand still")


def test_paused_and_resumed(pair: Pair) -> None:
    engine = pair.engine
    pause(pair)
    assert engine("exec", pair.name, "true").returncode != 0
    engine.ok("unpause", pair.name)
    assert engine.status(pair.name)[0] == "running"
    assert engine.state(pair.id)["status"] == "running"
    wait_until(lambda: not pair.still(), what="they go on")
    assert engine.ok("exec", pair.name, "echo", "here") == "here"
    engine.ok("kill", "--signal", "USR1", pair.name)
    wait_until(lambda: "parent" in engine.ok("logs", pair.name), what="the program hears signals")
    engine.ok("kill", pair.name)
    assert engine.ok("wait", pair.name) == "137"


def test_removed_by_force_while_paused(pair: Pair) -> None:
    job = pair.engine.job(pair.id)
    pause(pair)
    pair.engine.ok("rm", "--force", pair.name)
    wait_until(lambda: not pair.engine.left(pair.id, job), 15, what="nothing left")


def test_what_does_not_run_cannot_be_paused(engine: Podman) -> None:
    name = engine.detached("busybox", "true")
    engine.ok("wait", name)
    assert engine("pause", name).returncode != 0
    assert engine("unpause", name).returncode != 0
    assert engine.status(name) == ("exited", 0)


def test_a_commit_has_what_the_container_has_changed_so_far(engine: Podman) -> None:
    name = engine.ready("echo precious >/etc/f; echo top >/f; rm /etc/group; echo ready; while :; do sleep 0.1; done")
    image = f"{name}-image"
    engine.ok("commit", "--pause=true", name, image)
    try:
        look = "cat /etc/f /f; test ! -e /etc/group; exit $?"
        assert engine.run("--rm", image, "sh", "-ec", look).stdout == "precious\ntop\n"
    finally:
        engine("rmi", image)
    assert engine.status(name)[0] == "running"
    assert engine.ok("exec", name, "cat", "/f") == "top"
    engine.ok("rm", "-f", name)
