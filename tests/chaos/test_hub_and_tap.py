"""Whatever comes in at a container's two sockets, the container does not notice."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import msgpack
import pytest
import zmq

from tests.conftest import alive

from .conftest import chosen
from .ordeal import ECHO, digest, pump, read, read_line
from .witness import ROLES, find

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
ACTORS = [role for role in ROLES if role not in {"staging", "guard"}]
ALWAYS = ("state", "guard")
"""Those who are there all the time; the others come and go."""


@pytest.fixture
def echo(runtime: Runtime) -> Box:
    box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"
    return box


def connect(path: str) -> socket.socket:
    """To a path of any length."""
    directory = os.open(os.path.dirname(path), os.O_PATH)
    sock = socket.socket(socket.AF_UNIX)
    # A socket that is nonblocking, as Python's timeouts make it, is refused when the backlog is full.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 10, 0))
    try:
        sock.connect(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
    except BaseException:
        sock.close()
        raise
    finally:
        os.close(directory)
    return sock


def envelope(**fields: object) -> bytes:
    """A frame that is right but for the given fields."""
    whole = {"version": 1, "to": "state", "source": "client", "kind": "kill", "id": "00112233445566ff", "cause": None,
             "deadline": 0, "incarnation": 0, "body": {"signal": 9}} | fields  # fmt: skip
    return bytes(msgpack.packb(list(whole.values())))


def lies(dice: random.Random) -> Iterator[bytes]:
    """Frames of the right form that must not have any effect."""
    ended = {"ending": {"kind": "exited", "exit_code": 0, "signal": 0, "sentence": "", "code": "launch"}}
    for source in (*ACTORS, "state", "staging", "anchor", "", "client"):
        yield envelope(source=source, kind="step-ended", body=ended)
        yield envelope(source=source, kind="job-released", body={})
    yield envelope(version=2)
    yield envelope(kind="finish", body={"exit_code": 0, "hand_over": False})
    yield envelope(kind="no-such-word")
    yield envelope(body={"signal": "nine"})
    yield envelope(body=[1, 2, 3])
    yield envelope(body={"signal": 9}, id=5)
    yield envelope(kind="inspect", body={"what": "x" * 100_000})
    yield envelope()[:-3]
    yield envelope() + b"\0"
    yield b""
    yield b"\xc1" * 50
    yield b"\xdd\xff\xff\xff\xff"
    yield b"\x91" * 10_000
    for _ in range(200):
        yield dice.randbytes(dice.randrange(1, 300))
    whole = envelope(kind="step-ended", source="allocation", body=ended)
    for _ in range(200):
        spoilt = bytearray(whole)
        spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
        yield bytes(spoilt)


def raw_garbage(path: str, dice: random.Random) -> None:
    """Below ZMTP, or with a proper greeting and then anything."""
    for size in (0, 1, 10, 64, 5000):
        for head in (b"", GREETING, GREETING + b"\x04\x05READY", GREETING + b"\x02" + struct.pack(">Q", 1 << 62)):
            with connect(path) as sock, contextlib.suppress(OSError):
                sock.sendall(head + dice.randbytes(size))
                sock.shutdown(socket.SHUT_WR)


def send_frames(path: str, frames: Iterator[bytes], identity: bytes = b"") -> None:
    context = zmq.Context()
    sock = context.socket(zmq.DEALER)
    sock.setsockopt(zmq.LINGER, 1000)
    if identity:
        sock.setsockopt(zmq.IDENTITY, identity)
    # Whoever has been thrown out waits for a new connection to send more, and it may never come.
    sock.setsockopt(zmq.SNDTIMEO, 1000)
    sock.connect(f"ipc://{path}")
    with contextlib.suppress(zmq.Again):
        for frame in frames:
            sock.send(frame)
        sock.send_multipart([b"two", b"frames"])
    sock.close()
    context.term()


def unmoved(runtime: Runtime, box: Box, before: dict[str, int], data: bytes) -> None:
    """The same processes, one signal, the same bytes, the same end."""
    runtime.ok("kill", box.id, "USR1")
    assert read_line(box) == "got"
    assert actors(box) == before
    assert pump(box, data) == digest(data)
    assert (read(box), box.wait()) == ("bye\n", 42)


def actors(box: Box) -> dict[str, int]:
    return {role: find(box.anchor, role) for role in ALWAYS}


@pytest.mark.parametrize("name", ["hub", "tap"])
def test_garbage(runtime: Runtime, echo: Box, chaos: Chaos, name: str) -> None:
    before = actors(echo)
    path = str(runtime.root / echo.id / name)
    raw_garbage(path, chaos.random)
    send_frames(path, lies(chaos.random))
    unmoved(runtime, echo, before, chaos.data(1 << 16))
    chaos.figures["cases"] += 1


def test_someone_takes_an_actor_s_identity(runtime: Runtime, echo: Box, chaos: Chaos) -> None:
    """Neither its facts are believed nor does it get what is meant for the actor."""
    before = actors(echo)
    for role in ACTORS[1:]:
        send_frames(str(runtime.root / echo.id / "hub"), lies(chaos.random), role.encode())
    unmoved(runtime, echo, before, chaos.data(1 << 16))
    chaos.figures["cases"] += 1


@pytest.mark.parametrize("name", ["hub", "tap"])
def test_many_connections_that_say_nothing(runtime: Runtime, echo: Box, chaos: Chaos, name: str) -> None:
    before = actors(echo)
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(str(runtime.root / echo.id / name)))
        unmoved(runtime, echo, before, chaos.data(1 << 16))
    chaos.figures["cases"] += 1


FLOOD = """
import sys, zmq, msgpack
sock = zmq.Context().socket(zmq.{kind})
sock.connect("ipc://" + sys.argv[1])
if "{kind}" == "SUB":
    sock.subscribe("")
print("there", flush=True)
while True:
    if "{kind}" == "DEALER":
        sock.send({frame!r})
    else:
        sys.stdin.read()
"""


def flooder(kind: str, path: str, frame: bytes) -> Callable[[], subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", FLOOD.format(kind=kind, frame=frame), path]
    return lambda: subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.mark.parametrize("what", chosen(["garbage", "a console that does not read", "a tap that does not read"]))
def test_a_flood(runtime: Runtime, echo: Box, chaos: Chaos, what: str) -> None:
    """Longer than a lease: the state actor still has time for it, and for everybody else."""
    before = actors(echo)
    name = "tap" if what.startswith("a tap") else "hub"
    frame = envelope(kind="inspect", body={"what": "journal"}, source="console")
    kind = "SUB" if name == "tap" else "DEALER"
    start = flooder(kind, str(runtime.root / echo.id / name), b"\xc1" * 30 if what == "garbage" else frame)
    with start() as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == b"there\n"
            if name == "tap":
                os.kill(process.pid, signal.SIGSTOP)
            # Eight seconds of it: a program of the container's tells when they are over.
            with subprocess.Popen(["sleep", "8"]) as clock:
                while clock.poll() is None:
                    runtime.ok("kill", echo.id, "USR1")
                    assert read_line(echo) == "got"
            assert alive(process.pid)
            unmoved(runtime, echo, before, chaos.data(1 << 16))
        finally:
            process.kill()
    chaos.figures["cases"] += 1


def test_another_user_does_not_even_connect(runtime: Runtime, echo: Box) -> None:
    for name in ("hub", "tap"):
        path = str(runtime.root / echo.id / name)
        code = f"import socket; socket.socket(socket.AF_UNIX).connect({path!r})"
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--", "/usr/bin/python3", "-c", code],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "PermissionError" in done.stderr, done.stderr
