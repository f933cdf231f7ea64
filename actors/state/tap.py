"""The tap: everything worth watching, on an XPUB, for any ZeroMQ client (``docs/tap.md`` is its contract).

A slow listener loses messages, never slows the container, and sees the gap in the numbers. Who comes late is told
first what there is. Secrets stay home: of a creation, a launch or a spawn only names and sizes are shown. As long as
nobody listens a message is counted and nothing else.
"""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable

import msgpack
import zmq

from proto import TAP_VERSION, __version__
from proto.host.sockets import endpoint
from proto.wire.codec import to_plain
from proto.wire.registry import Message, word_of

Data = dict[str, object]

HIDDEN = frozenset({"creation", "argv", "env", "environ", "args"})
QUEUE = 1000
"""Messages that wait for a listener which does not read."""
TOPIC_LIMIT = 1024
"""Bytes of a subscription; a peer that sends a longer one is disconnected."""
SUBSCRIPTIONS_AT_ONCE = 100


def redact(message: Message) -> Data:
    """A message's fields with those that may hold secrets replaced by their size."""
    plain = to_plain(message)
    assert isinstance(plain, dict)  # noqa: S101 - messages are values
    return {key: f"<{len(value)}>" if key in HIDDEN else value for key, value in plain.items()}


class Tap:
    """The XPUB on a listening socket that the anchor made and keeps."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", listener: int, path: str, container: str, incarnation: int,
        snapshot: Callable[[], Data],
    ) -> None:  # fmt: skip
        """Args:
        context: of the state actor.
        listener: the listening socket, which stays open.
        path: of the socket.
        container: its id.
        incarnation: of the state actor; the numbers begin anew with each.
        snapshot: makes what a newcomer is told besides the numbers.
        """
        self.socket = context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.SNDHWM, QUEUE)
        self.socket.setsockopt(zmq.LINGER, 200)
        self.socket.setsockopt(zmq.MAXMSGSIZE, TOPIC_LIMIT)
        self.socket.setsockopt(zmq.USE_FD, os.dup(listener))
        # Report every subscription, also the second one to a known topic, so that each newcomer is greeted; but the
        # end of the last one only: then nobody listens to that topic any more.
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.bind(endpoint(path))
        self._head: Data = {"tap": TAP_VERSION, "container": container, "incarnation": incarnation}
        self._snapshot = snapshot
        self._numbers: Counter[str] = Counter()
        self._topics: set[bytes] = set()

    def subscriptions(self) -> list[object]:
        """Note who comes and goes, and greet newcomers; call when the socket is readable."""
        comes = False
        for _ in range(SUBSCRIPTIONS_AT_ONCE):  # a flood must leave time for everything else
            try:
                word = self.socket.recv(zmq.DONTWAIT)
            except zmq.Again:
                break
            topic = word[1:]
            if word[:1] == b"\x00":
                self._topics.discard(topic)
            elif word[:1] == b"\x01":
                self._topics.add(topic)
                comes = True
        # Once for all that a newcomer subscribes to in one go: what the hello does not tell, comes after it.
        if comes:
            self.publish_data("hello", (), self._greeting)
        return []

    def publish(self, layer: str, actor: str, message: Message) -> None:
        """Show a message to whoever watches."""
        self._numbers[layer] += 1  # heard or not
        if self._topics:
            self._send(layer, (actor, word_of(type(message))), redact(message))

    def publish_data(self, layer: str, words: tuple[str, ...], make: Callable[[], Data]) -> None:
        """Show something that is no message.

        Args:
            layer: first word of the topic.
            words: the others.
            make: makes the data, if anybody listens.

        """
        self._numbers[layer] += 1
        if self._topics:
            self._send(layer, words, make())

    def close(self) -> None:
        """Close; what is queued still goes out for a moment."""
        self.socket.close()

    def _greeting(self) -> Data:
        return {"scrun": __version__, "numbers": dict(self._numbers), **self._snapshot()}

    def _send(self, layer: str, words: tuple[str, ...], data: Data) -> None:
        body = self._head | {"number": self._numbers[layer], "time": time.time(), "data": data}
        topic = ".".join((layer, *words)).encode()
        with contextlib.suppress(zmq.Again):  # XPUB drops for slow listeners; this is for the case that it says so
            self.socket.send_multipart([topic, msgpack.packb(body)], zmq.DONTWAIT)
