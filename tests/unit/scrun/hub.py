"""A hub for tests of the hand-written client: a real ROUTER of libzmq, and a process that plays the anchor."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import msgpack
import zmq

from proto.life.state_file import start_time

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator
    from typing import Self

Request = list[Any]
Reply = tuple[str, dict[str, Any]]


def write_state(
    directory: pathlib.Path, anchor: int, status: str, born: int | None = None, *, window: bool = False
) -> None:
    born = start_time(anchor) if born is None else born
    private = json.dumps({"anchor": anchor, "starttime": born, "version": "0.1.0", "window": window})
    (directory / "state.json").write_text(
        f'{{\n  "ociVersion": "1.0.2",\n  "id": "{directory.name}",\n  "status": "{status}",\n  "pid": {anchor},\n'
        '  "bundle": "/b",\n  "rootfs": "/b/rootfs",\n  "created": "2026-01-01T00:00:00Z",\n  "owner": "o",\n'
        f'  "annotations": {{}},\n  "scrun": {private}\n}}\n'
    )


@contextlib.contextmanager
def anchor(
    directory: pathlib.Path, status: str = "running", *, window: bool = False
) -> Iterator[subprocess.Popen[bytes]]:
    """A container's directory whose anchor is a process that waits for the end of its input."""
    directory.mkdir(parents=True, exist_ok=True)
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        write_state(directory, process.pid, status, window=window)
        try:
            yield process
        finally:
            process.kill()


class Hub(threading.Thread):
    """Answers each request with what ``react`` makes of it; nothing for None."""

    def __init__(self, directory: pathlib.Path, react: Callable[[Request], Reply | bytes | None]) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self._react = react
        self._sockets = zmq.Context()
        self._router = self._sockets.socket(zmq.ROUTER)
        self._router.setsockopt(zmq.LINGER, 1000)
        self._stop_here, self._stop_there = os.pipe()
        # The path may be longer than a socket's address can be.
        descriptor = os.open(directory, os.O_PATH)
        self._router.bind(f"ipc:///proc/self/fd/{descriptor}/hub")
        os.close(descriptor)

    def run(self) -> None:
        poller = zmq.Poller()
        poller.register(self._router, zmq.POLLIN)
        poller.register(self._stop_here, zmq.POLLIN)
        while not dict(poller.poll()).get(self._stop_here):
            while self._router.poll(0):
                route, *frames = self._router.recv_multipart()
                assert len(frames) == 1
                request = msgpack.unpackb(frames[0])
                self.requests.append(request)
                reply = self._react(request)
                if isinstance(reply, bytes):
                    self._router.send_multipart([route, reply])
                elif reply is not None:
                    self._router.send_multipart([route, envelope(reply, cause=request[4])])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._stop_there, b".")
        self.join()
        self._router.close()
        self._sockets.term()
        os.close(self._stop_here)
        os.close(self._stop_there)


def envelope(reply: Reply, cause: str | None) -> bytes:
    packed: bytes = msgpack.packb([1, "client", "state", reply[0], "a" * 16, cause, 0, 1, reply[1]])
    return packed
