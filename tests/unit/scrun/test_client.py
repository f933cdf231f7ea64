"""The hand-written client against a real ROUTER."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import msgpack
import pytest

from proto.errors import AnchorGoneError, DeadlineError, ProtocolError, SchedulerError, WrongStateError
from scrun.box.box import Box, find
from scrun.hub.client import ask
from tests.unit.scrun.hub import Hub, anchor, envelope

if TYPE_CHECKING:
    import pathlib
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.unit.scrun.hub import Reply, Request


def done(_request: Request) -> Reply:
    return "done", {}


def refusing(code: str) -> Callable[[Request], Reply]:
    return lambda _: ("failed", {"code": code, "sentence": "no"})


@pytest.fixture
def directory(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "x"


@pytest.fixture
def process(directory: pathlib.Path) -> Iterator[subprocess.Popen[bytes]]:
    with anchor(directory) as process:
        yield process


@pytest.fixture
def container(directory: pathlib.Path, process: subprocess.Popen[bytes]) -> Box:
    return find(str(directory.parent), "x")


def test_a_request_and_its_answer(container: Box, directory: pathlib.Path) -> None:
    with Hub(directory, lambda request: ("done", {"echo": request[8]})) as hub:
        body = ask(container, "kill", {"signal": 15}, 5)
    assert body == {"echo": {"signal": 15}}
    [[version, destination, source, kind, request_id, cause, deadline, incarnation, _]] = hub.requests
    assert (version, destination, source, kind, cause, incarnation) == (1, "state", "client", "kill", None, 0)
    assert len(request_id) == 16
    assert int(request_id, 16) >= 0
    assert 4000 < deadline <= 5000


def test_no_deadline_travels_as_0(container: Box, directory: pathlib.Path) -> None:
    with Hub(directory, done) as hub:
        ask(container, "start", {}, None)
    assert hub.requests[0][6] == 0


def test_a_refusal_is_the_error(container: Box, directory: pathlib.Path) -> None:
    for code, kind in (("wrong-state", WrongStateError), ("scheduler", SchedulerError), ("protocol", ProtocolError)):
        with Hub(directory, refusing(code)) as hub, pytest.raises(kind, match="no"):
            ask(container, "start", {}, 5)
        assert len(hub.requests) == 1


def test_large_frames(container: Box, directory: pathlib.Path) -> None:
    with Hub(directory, lambda request: ("done", {"echo": request[8]})):
        for size in (200, 256, 70_000):
            assert ask(container, "kill", {"x": "y" * size}, 5) == {"echo": {"x": "y" * size}}


def test_other_messages_are_passed_over(container: Box, directory: pathlib.Path) -> None:
    answers = iter([
        envelope(("done", {}), "f" * 16),
        envelope(("hello", {}), None),
        msgpack.packb(["no", "envelope"]),
    ])  # fmt: skip
    with Hub(directory, lambda _: next(answers)), pytest.raises(DeadlineError):
        ask(container, "kill", {}, 0.3)


def test_a_path_that_is_too_long_for_a_socket(tmp_path: pathlib.Path) -> None:
    directory = tmp_path / ("d" * 100) / ("e" * 100) / "x"
    with anchor(directory), Hub(directory, done):
        ask(find(str(directory.parent), "x"), "start", {}, 5)


def test_silence_ends_at_the_deadline(container: Box, directory: pathlib.Path) -> None:
    with Hub(directory, lambda _: None), pytest.raises(DeadlineError):
        ask(container, "kill", {}, 0.1)


def test_nobody_there_ends_at_the_deadline(container: Box) -> None:
    with pytest.raises(DeadlineError):
        ask(container, "kill", {}, 0.1)


def test_a_listener_that_never_accepts(container: Box, directory: pathlib.Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / "hub"))
        listener.listen()
        with pytest.raises(DeadlineError):
            ask(container, "kill", {}, 0.1)


def test_the_same_request_after_a_lost_connection(container: Box, directory: pathlib.Path) -> None:
    first: list[Request] = []

    def forget(request: Request) -> None:
        first.append(request)
        heard.set()

    heard = threading.Event()
    answers = []
    asking = threading.Thread(target=lambda: answers.append(ask(container, "start", {}, 10)))
    with Hub(directory, forget):
        asking.start()
        assert heard.wait(10)
    (directory / "hub").unlink(missing_ok=True)
    with Hub(directory, done) as hub:
        asking.join()
    assert answers == [{}]
    assert [request[4] for request in hub.requests] == [first[0][4]]


def test_the_anchor_ends_meanwhile(container: Box, directory: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    with Hub(directory, lambda _: process.kill()), pytest.raises(AnchorGoneError):
        ask(container, "start", {}, None)


def test_the_anchor_is_gone(container: Box, process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    with pytest.raises(AnchorGoneError):
        ask(container, "start", {}, None)


GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = b"\x04\x06\x05READY"


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.0 400 Bad Request\r\n".ljust(64),
        GREETING + b"\x04\x06\x05ERROR",
        GREETING + b"\xff\xff",
        GREETING + READY + b"\x02" + b"\xff" * 8,
        GREETING + READY + b"\x00\x01\xc1",
        GREETING.replace(b"NULL", b"CURV"),
    ],
)
def test_garbage(container: Box, directory: pathlib.Path, garbage: bytes) -> None:
    with _talker(directory, garbage), pytest.raises(ProtocolError):
        ask(container, "kill", {}, 5)


def test_pings_are_answered_and_long_messages_skipped(container: Box, directory: pathlib.Path) -> None:
    talk = GREETING + READY + b"\x04\x0a\x04PING\x00\x01abc" + b"\x01\x01x\x00\x01y"
    with _talker(directory, talk) as heard, pytest.raises(DeadlineError):
        ask(container, "kill", {}, 0.3)
    assert b"\x04\x08\x04PONGabc" in b"".join(heard)


@contextlib.contextmanager
def _talker(directory: pathlib.Path, talk: bytes) -> Iterator[list[bytes]]:
    """Somebody who says the same to everyone, and keeps what is heard."""
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                if stopped.is_set():
                    return
                connection.sendall(talk)
                connection.settimeout(5)
                while data := connection.recv(4096):
                    heard.append(data)

    stopped = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / "hub"))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield heard
        stopped.set()
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(str(directory / "hub"))
        thread.join()


def test_dripping_bytes(container: Box, directory: pathlib.Path) -> None:
    """A frame that comes byte by byte is a frame."""

    def drip(connection: socket.socket) -> None:
        for byte in GREETING + READY:
            connection.send(bytes([byte]))
        data = b""
        while b"start" not in data:
            data += connection.recv(4096)
        request = msgpack.unpackb(data[data.index(b"\x99\x01") :])
        answer = envelope(("done", {}), request[4])
        for byte in bytes([0, len(answer)]) + answer:
            connection.send(bytes([byte]))

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(directory / "hub"))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                drip(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        assert ask(container, "start", {}, 5) == {}
        thread.join()


def test_it_is_quick(container: Box, directory: pathlib.Path) -> None:
    with Hub(directory, done):
        began = time.monotonic()
        for _ in range(20):
            ask(container, "start", {}, 5)
        assert time.monotonic() - began < 2
