"""Whose container it is: podman, found behind conmon, or ``scrun run``; and what its end means."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from actors.anchor import engine
from actors.anchor.caller import Caller
from actors.anchor.engine import Engine
from actors.anchor.outbox import Outbox
from actors.process.channel import Channel
from proto.life import talk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proto.wire.registry import Message

WAITS = "import sys; sys.stdin.read()"


@pytest.mark.parametrize(
    ("line", "starts"),
    [
        ("podman run --rm busybox init", True),
        ("podman --log-level debug --runtime /usr/bin/scrun run busybox", True),
        ("podman container start -a x", True),
        ("podman pod restart p", True),
        ("podman play kube pod.yaml", True),
        ("podman kube play pod.yaml", True),
        ("podman init x", False),
        ("podman container init --all", False),
        ("podman system service --time 0", False),
        ("podman --root /x container cleanup --exit-code 1 start", False),
        ("run", False),
        ("", False),
    ],
)
def test_which_commands_of_podman_start_what_they_create(line: str, starts: bool) -> None:
    assert engine.will_start(line.split(" ")) is starts


def conmon(descriptor: int) -> subprocess.Popen[bytes]:
    """A process that has this descriptor, and waits."""
    return subprocess.Popen([sys.executable, "-IS", "-c", WAITS], stdin=subprocess.PIPE, pass_fds=(descriptor,))


@pytest.mark.parametrize("kind", ["socket pair", "pipe", "closed", "nonsense"])
def test_who_made_conmon_s_connection_is_the_engine(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    reading, writing = os.pipe()
    number = {"socket pair": theirs.fileno(), "pipe": writing}.get(kind, 9999)
    monkeypatch.setenv(engine.SYNC, "x" if kind == "nonsense" else str(number))
    with ours, theirs, conmon(number if number != 9999 else writing) as process:
        found = engine.find(process.pid, itself=False)
        assert process.stdin
        process.stdin.close()
    os.close(reading)
    os.close(writing)
    if kind != "socket pair":
        assert found is None
        return
    assert found is not None
    with open(f"/proc/self/fdinfo/{found.fd}", encoding="ascii") as file:
        assert f"\nPid:\t{os.getpid()}\n" in file.read()
    os.close(found.fd)


def test_without_conmon_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(engine.SYNC, raising=False)
    assert engine.find(os.getpid(), itself=False) is None
    assert engine.find(1 << 22, itself=True) is None


class Loop:
    """What the anchor's loop has of those who have called."""

    def __init__(self, *, starts: bool) -> None:
        self.process = subprocess.Popen([sys.executable, "-IS", "-c", WAITS], stdin=subprocess.PIPE)
        self.create, answer = socket.socketpair()
        self.poller = select.poll()
        self.outbox = Outbox()
        self.caller = Caller(answer, Engine(self.process.pid, starts=starts), self.poller, self.outbox)
        near, far = socket.socketpair()
        self.near, self.far = Channel(near, patient=False), Channel(far, patient=True)

    def turn(self) -> list[Message]:
        """Wait for something to happen; what the state actor is told of it."""
        (number, _), *_ = self.poller.poll(10_000)
        assert self.caller.hear(number)
        assert not self.caller.hear(number)
        self.outbox.child(talk.ChildChanged("x", 1, 1, 0, "running"))  # or there might be nothing to hear
        self.outbox.tell(self.near)
        return (self.far.receive() or [])[:-1]

    def answered(self) -> None:
        self.caller.answer("", "")
        assert self.create.recv(9) == b"\n"
        self.create.send(b".")
        assert self.turn() == []

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self.process.communicate()
        for end in (self.create, self.near, self.far):
            end.close()


@pytest.fixture
def loops() -> Iterator[list[Loop]]:
    made = [Loop(starts=False), Loop(starts=True)]
    yield made
    for loop in made:
        loop.close()


def test_an_engine_that_ends_while_create_waits_leaves_nobody(loops: list[Loop]) -> None:
    for loop in loops:
        loop.kill()
        assert loop.turn() == [talk.Deserted()]
        loop.create.close()
        assert loop.turn() == [talk.Abandoned()]


def test_one_that_has_created_and_not_started_may_have_meant_that(loops: list[Loop]) -> None:
    told = []
    for loop in loops:
        loop.answered()
        loop.kill()
        told.append(loop.turn())
    assert told == [[], [talk.Deserted()]]
