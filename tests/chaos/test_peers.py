"""Peers that are many, that repeat themselves, that do not read, that go away, or that speak in an actor's name."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import struct
from typing import TYPE_CHECKING, Any

import msgpack
import pytest

from tests.census import descriptors
from tests.conftest import alive

from .ordeal import ECHO, forget, nothing_left, read, read_line
from .test_hub_and_tap import actors, connect, envelope, send_frames, unmoved
from .witness import find

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

PIDFD_GETFD = 438
MANY = 1000


def with_limits(runtime: Runtime, soft: int, hard: int) -> Box:
    """The echoing container, made by somebody who may have so many descriptors."""
    start = runtime.runner.start

    def limited(argv: Sequence[str], **stdio: Any) -> Any:
        return start(["/usr/bin/prlimit", f"--nofile={soft}:{hard}", *argv], **stdio)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime.runner, "start", limited)
        box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"
    return box


@pytest.mark.parametrize("name", ["hub", "tap"])
def test_a_thousand_connections(runtime: Runtime, chaos: Chaos, name: str) -> None:
    """More than the usual soft limit of descriptors allows, far fewer than the usual hard one."""
    echo = with_limits(runtime, 1024, 4096)
    before = actors(echo)
    with contextlib.ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connect(str(runtime.root / echo.id / name)))
        runtime.wait_until(lambda: len(descriptors(before["state"])) > MANY, what="a thousand accepted connections")
        unmoved(runtime, echo, before, chaos.data(1 << 16))
    chaos.figures["cases"] += 1


def test_more_connections_than_descriptors(runtime: Runtime, chaos: Chaos) -> None:
    """The state actor is replaced, since libzmq does not survive it; the container does not notice."""
    echo = with_limits(runtime, 128, 128)
    state = find(echo.anchor, "state")
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(str(runtime.root / echo.id / "hub")))
        runtime.wait_until(lambda: not alive(state), what="the end of the state actor")
        runtime.wait_until(lambda: find(echo.anchor, "state"), what="a new state actor")
        # Whoever had a connection has to come again: nobody does, so there is room.
        runtime.ok("kill", echo.id, "USR1")
        assert read_line(echo) == "got"
    echo.close_stdin()
    assert (read(echo), echo.wait()) == ("bye\n", 42)
    chaos.figures["cases"] += 1


def test_replayed_requests_are_carried_out_once(runtime: Runtime, chaos: Chaos) -> None:
    echo = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(echo) == "ready"
    before = actors(echo)
    request = envelope(body={"signal": int(signal.SIGUSR1)})
    send_frames(str(runtime.root / echo.id / "hub"), iter([request] * 300))
    assert read_line(echo) == "got"
    # The next "got" is that of the signal which is sent in there, and it is the last.
    unmoved(runtime, echo, before, chaos.data(1 << 16))
    chaos.figures["cases"] += 1


def channel_of(pid: int) -> int:
    """This process's copy of an actor's end of the socketpair that it shares with the anchor."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(pid)
    try:
        for number, target in descriptors(pid).items():
            if not target.startswith("socket:"):
                continue
            copy = libc.syscall(PIDFD_GETFD, handle, number, 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            # The two ends of a pair have no names, unlike the hub's. A socket that listens has no peer.
            with contextlib.suppress(OSError), socket.socket(fileno=copy) as sock:
                if sock.family == socket.AF_UNIX and not sock.getpeername() and not sock.getsockname():
                    return sock.detach()
    finally:
        os.close(handle)
    raise AssertionError(f"process {pid} has no channel")


def packed(*message: object) -> bytes:
    payload: bytes = msgpack.packb(list(message))
    return struct.pack("<I", len(payload)) + payload


def madness(dice: random.Random) -> Iterator[bytes]:
    """What an actor that has lost its mind may tell the anchor; each ends it, and only it."""
    yield dice.randbytes(4) + dice.randbytes(100)
    yield struct.pack("<I", 0xFFFFFFFF)
    yield struct.pack("<I", 3) + b"\xc1\xc1\xc1"
    yield struct.pack("<I", 1) + b"\x05"
    yield packed("no-such-word", {})
    yield packed(["a", "list"], {})
    yield packed("lease", {"seconds": "soon", "task": ""})
    yield packed("lease", {"seconds": float("nan"), "task": ""}) + packed("no-such-word", {})
    yield packed("needed", {"actors": 5})
    yield packed("rest", {"descriptors": {"stdin": "soon"}})
    yield packed(
        "spawn", {"name": "x", "argv": [b"/bin/true"], "env": [], "cwd": "/", "stdio": {"one": "/dev/null"},
                  "session": False},
    )  # fmt: skip


def test_an_actor_that_talks_nonsense_to_the_anchor(runtime: Runtime, chaos: Chaos) -> None:
    """Written with the actor's own descriptor. It is replaced; the anchor and everybody else go on."""
    echo = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(echo) == "ready"
    for number, frame in enumerate(chaos.some(list(madness(chaos.random)), 10)):
        # Signals has just brought one; the others go to rest when nothing happens.
        there = {role: pid for role in ("signals", "allocation", "stdio", "state") if (pid := find(echo.anchor, role))}
        role, pid = list(there.items())[number % len(there)]
        with socket.socket(fileno=channel_of(pid)) as channel:
            channel.sendall(frame)
        runtime.wait_until(lambda pid=pid: not alive(pid), 20, what=f"the end of {role} after {frame!r}")
        assert alive(echo.anchor)
        runtime.ok("kill", echo.id, "USR1")
        assert read_line(echo) == "got"
        chaos.figures["cases"] += 1
    echo.close_stdin()
    assert (read(echo), echo.wait()) == ("bye\n", 42)


def test_an_engine_that_never_reads(runtime: Runtime, chaos: Chaos) -> None:
    """The program waits, as it would in a pipeline; it can be ended all the same, and nothing stays."""
    box = runtime.running("/bin/sh", "-c", "trap 'exit 5' TERM; echo there >&2; while :; do echo 0123456789; done")
    assert read_line(box) == "there"
    job = box.job()
    runtime.ok("kill", box.id, "KILL")
    assert box.wait() == 137
    runtime.ok("delete", box.id)
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


@pytest.mark.parametrize("name", ["out", "err"])
def test_an_engine_that_closes_its_end(runtime: Runtime, chaos: Chaos, name: str) -> None:
    """The rest of the output is thrown away, and the program ends as it likes."""
    script = f"""echo ready >&{2 if name == "out" else 1}; read x
        i=0; while [ $i -lt 20000 ]; do echo 0123456789 {">&2" if name == "err" else ""}; i=$((i+1)); done; exit 6"""
    box = runtime.running("/bin/sh", "-c", script, stdin=True)
    assert read_line(box, "err" if name == "out" else "out") == "ready"
    before = actors(box)
    os.close(box._ends.pop(name))
    box.write(b"go\n")
    job = box.job()
    assert box.wait() == 6
    assert not alive(before["state"])
    runtime.ok("delete", box.id)
    forget(runtime, box)
    nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += 1


@contextlib.contextmanager
def console(runtime: Runtime, backlog: int = 1) -> Iterator[socket.socket]:
    """An engine's console socket."""
    path = runtime.directory / "console"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        path.chmod(0o777)
        listener.listen(backlog)
        yield listener


def with_terminal(runtime: Runtime, *args: str) -> tuple[str, Callable[[], int]]:
    """Begin to create a container with a terminal; its id, and how to wait for ``create``."""
    words = runtime.words(
        "create", "--bundle", str(runtime.bundle(*args, name="bundle-t", terminal=True)), "--console-socket",
        str(runtime.directory / "console"), "--pid-file", str(runtime.pid_file("t")), "t",
    )  # fmt: skip
    runtime.ids.append("t")
    process = runtime.runner.start(words)
    return "t", lambda: process.wait(timeout=60)


def test_a_console_that_takes_the_terminal_and_never_reads(runtime: Runtime, chaos: Chaos) -> None:
    with console(runtime) as listener:
        name, created = with_terminal(runtime, "/bin/sh", "-c", "while :; do echo 0123456789; done")
        peer, _ = listener.accept()
        with peer:
            _, (master, *_), _, _ = socket.recv_fds(peer, 100, 1)
        try:
            assert created() == 0
            anchor = int(runtime.pid_file(name).read_text())
            runtime.ok("start", name)
            runtime.ok("kill", name, "KILL")
            runtime.wait_until(lambda: not alive(anchor), what="the end of the anchor")
            runtime.ok("delete", name)
        finally:
            os.close(master)
    nothing_left(runtime, name, 0)
    chaos.figures["cases"] += 1


def test_a_console_that_stalls(runtime: Runtime, chaos: Chaos) -> None:
    """Nobody accepts, and the backlog is full: ``create`` gives up with a sentence, and nothing is left."""
    with console(runtime, 0) as listener, contextlib.ExitStack() as stack:
        stack.enter_context(connect(str(listener.getsockname())))
        name, created = with_terminal(runtime, "/bin/true")
        assert created() == 1
        (record,) = runtime.records()
        assert "no answer in time" in record["msg"]
    runtime.log.unlink()
    nothing_left(runtime, name, 0)
    assert runtime.names() == []
    chaos.figures["cases"] += 1
