"""``scrun tap``: print everything that a container's processes say and do, as JSON lines.

The tap is an XPUB that any ZeroMQ client can read (``docs/protocol.md``, Tap); this is the smallest such client.
"""

import json
import os
import sys
import time
from typing import TYPE_CHECKING

from proto.errors import NotFoundError, UsageError
from proto.host.paths import ContainerPaths
from proto.host.sockets import endpoint
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.packages import use_packages

if TYPE_CHECKING:
    import zmq

LOOK = 0.5
"""Seconds between two looks for containers that have come or gone."""


def run(line: Line) -> int:
    """Print until the containers are gone (one), or until interrupted (``--all``)."""
    use_packages()
    import zmq

    everyone = line.own.flag("all")
    if everyone == bool(line.arguments):
        msg = "scrun tap wants either a container id or --all"
        raise UsageError(msg)
    root = root_of(line)
    if not everyone and not os.path.exists(ContainerPaths(root, line.id).tap):
        msg = f"container {line.id} does not exist or has stopped"
        raise NotFoundError(msg)
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.SUBSCRIBE, line.own.text("topic").encode())
        sock.setsockopt(zmq.MAXMSGSIZE, 1 << 22)
        _listen(sock, root, None if everyone else line.id)
    return 0


def _listen(sock: "zmq.Socket[bytes]", root: str, only: str | None) -> None:
    connected: dict[str, str] = {}
    looked = 0.0
    while True:
        if time.monotonic() - looked >= LOOK:
            looked = time.monotonic()
            there = _taps(root, only)
            for path in there - connected.keys():
                try:
                    connected[path] = endpoint(path)
                except OSError:
                    continue  # gone since
                sock.connect(connected[path])
            for path in connected.keys() - there:
                sock.disconnect(connected.pop(path))
        while sock.poll(int(LOOK * 1000)):
            _print(sock.recv_multipart())
        if only is not None and not connected:
            return


def _taps(root: str, only: str | None) -> set[str]:
    try:
        names = os.listdir(root) if only is None else [only]
    except FileNotFoundError:
        names = []
    paths = (f"{root}/{name}/tap" for name in names)
    return {path for path in paths if os.path.exists(path)}


def _print(frames: list[bytes]) -> None:
    import msgpack

    topic, body = frames[0], msgpack.unpackb(frames[1])
    text = json.dumps({"topic": topic.decode(errors="replace"), **body}, default=_text)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _text(value: object) -> str:
    return value.decode(errors="backslashreplace") if isinstance(value, bytes) else str(value)
