"""The tap: everything worth watching, on an XPUB, for any ZeroMQ client (``docs/protocol.md``, Tap).

Two frames: a topic ``LAYER.ACTOR.EVENT``, and a msgpack map with the protocol version, a sequence number, the
time and the data. A slow listener loses messages, never slows the container, and sees the gap in the numbers.
Secrets stay home: of a creation, a launch or a spawn only names and sizes are shown.
"""

import os
import time

import msgpack
import zmq

from proto import PROTOCOL_VERSION, __version__
from proto.host.sockets import endpoint
from proto.wire.codec import to_plain
from proto.wire.registry import Message, word_of

HIDDEN = frozenset({"creation", "argv", "env", "environ", "args"})


def redact(message: Message) -> dict[str, object]:
    """A message's fields with those that may hold secrets replaced by their size."""
    plain = to_plain(message)
    assert isinstance(plain, dict)  # noqa: S101 - messages are values
    return {key: f"<{len(value)}>" if key in HIDDEN else value for key, value in plain.items()}


class Tap:
    """The XPUB on a listening socket that the anchor made and keeps."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", listener: int, path: str, container: str) -> None:
        self.socket = context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.SNDHWM, 1000)
        self.socket.setsockopt(zmq.LINGER, 200)
        self.socket.setsockopt(zmq.MAXMSGSIZE, 1024)
        self.socket.setsockopt(zmq.USE_FD, os.dup(listener))
        self._container = container
        self._number = 0
        # Report every subscription, also the second one to a known topic: each newcomer is greeted.
        self.socket.setsockopt(zmq.XPUB_VERBOSER, 1)
        self.socket.bind(endpoint(path))

    def subscriptions(self) -> list[object]:
        """Greet who comes; call when the socket is readable."""
        while True:
            try:
                word = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                return []
            if word[:1] == b"\x01":
                self.publish_data("hello", {"scrun": __version__})

    def publish(self, layer: str, actor: str, message: Message) -> None:
        """Show a message to whoever watches."""
        self.publish_data(f"{layer}.{actor}.{word_of(type(message))}", redact(message))

    def publish_data(self, topic: str, data: dict[str, object]) -> None:
        """Show something that is no message."""
        self._number += 1
        body = {
            "protocol": PROTOCOL_VERSION,
            "container": self._container,
            "number": self._number,
            "time": time.time(),
            "data": data,
        }
        try:
            self.socket.send_multipart([topic.encode(), msgpack.packb(body)], zmq.DONTWAIT)
        except zmq.Again:
            pass  # XPUB drops for slow listeners; this is for the case that it says so

    def close(self) -> None:
        """Close; what is queued still goes out for a moment."""
        self.socket.close()
