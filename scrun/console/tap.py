"""The console's end of the tap: what a container says, as it says it, until it has ended."""

from collections.abc import Iterator
from typing import Any

from proto.errors import NotFoundError
from proto.host.paths import ContainerPaths
from proto.host.sockets import endpoint
from scrun.box.box import find

LOOK = 0.5
"""Seconds between two looks whether the anchor lives."""


def listen(paths: ContainerPaths, topic: str = "") -> Iterator[tuple[str, dict[str, Any]] | None]:
    """Topics and bodies as they come, and ``None`` whenever nothing came for a while, the last time at the very end.

    Raises:
        NotFoundError: the container is not there, or has stopped.

    """
    import msgpack
    import zmq

    box = find(paths.root, paths.id)
    if not box.alive():
        msg = f"container {paths.id} has stopped"
        raise NotFoundError(msg)
    with zmq.Context() as context, context.socket(zmq.SUB) as sock:
        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.MAXMSGSIZE, 1 << 22)
        sock.subscribe(topic)
        sock.connect(endpoint(paths.tap))
        alive = True
        while alive:
            alive = box.alive()
            while sock.poll(int(LOOK * 1000) if alive else 0):
                name, body = sock.recv_multipart()[:2]
                yield name.decode(errors="replace"), msgpack.unpackb(body)
            yield None
