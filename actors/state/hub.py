"""The hub: the ROUTER that all talk goes through, and who may say what.

Only the owner's uid and root are listened to, and a message that claims to come from an actor must come from
that actor's process: the kernel's word on the peer (``SO_PEERCRED``, as libzmq hands it out with every frame)
decides. A frame that breaks a rule is dropped and nothing else happens.

The way to an actor is the connection that its process spoke on last, and every connection of an actor begins with
an empty frame. So nothing that a peer says of itself, a ZeroMQ identity for instance, leads a message astray.

An actor may speak before the anchor has introduced it. What it says is judged again at its introduction.
"""

import contextlib
import os
import resource
import time
from collections.abc import Callable, Iterator

import zmq

from proto.errors import ProtocolError
from proto.host.sockets import endpoint
from proto.value import Value
from proto.wire.envelope import FRAME_LIMIT, Envelope, new_id, unpack
from proto.wire.registry import Message

from .early_words import EarlyWords, Word

CLIENTS = frozenset({"client", "console"})
FRAMES_AT_ONCE = 100
ROUTES_KEPT = 100
"""Of so many processes the last route is known, of those that the anchor has not introduced yet, too."""


class Arrival(Value):
    """A message at the hub.

    Attributes:
        route: where a reply goes.
        uid, pid: whose it is, by the kernel's word.

    """

    route: bytes
    envelope: Envelope
    uid: int = -1
    pid: int = 0


class Reached(Value):
    """An actor has a new connection: what it was asked before may be lost."""

    actor: str


class Hub:
    """The ROUTER on a listening socket that the anchor made and keeps."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", listener: int, path: str, incarnation: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.socket.setsockopt(zmq.MAXMSGSIZE, FRAME_LIMIT)
        self.socket.setsockopt(zmq.LINGER, 300)
        self.socket.setsockopt(zmq.USE_FD, os.dup(listener))
        self.socket.bind(endpoint(path))
        self._incarnation = incarnation
        self._pids: dict[str, int] = {}
        self._routes: dict[int, bytes] = {}
        self._early = EarlyWords(clock)

    def introduce(self, actor: str, pid: int) -> list[Arrival | Reached]:
        """The anchor vouches for it: this process is that actor, and no other process is any more.

        Returns:
            What the actor has said before, and is heard now.

        """
        self._pids[actor] = pid
        heard = []
        for word in self._early.take(pid):
            with contextlib.suppress(ProtocolError):
                heard.append(self._judge(word))
        return heard

    def arrivals(self) -> Iterator[Arrival | Reached]:
        """What has come and may be listened to; a flood must leave time for clocks and the lease."""
        for _ in range(FRAMES_AT_ONCE):
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return
            with contextlib.suppress(ProtocolError):
                yield self._admit(frames)

    def tell(self, envelope: Envelope) -> bool:
        """Send to the actor that the envelope names; False if it cannot be reached (yet)."""
        route = self._routes.get(self._pids.get(envelope.destination, 0))
        return route is not None and self.send(route, envelope)

    def send(self, route: bytes, envelope: Envelope) -> bool:
        """Send; False if no process is at that address (now), or if it does not read."""
        with contextlib.suppress(zmq.Again, zmq.ZMQError):
            self.socket.send_multipart([route, envelope.pack()], zmq.DONTWAIT)
            return True
        return False

    def reply(self, arrival: Arrival, message: Message) -> None:
        """Answer what has arrived, if whoever asked is still there."""
        asked = arrival.envelope
        self.send(arrival.route, Envelope(asked.source, "state", message, new_id(), asked.id, 0, self._incarnation))

    def close(self) -> None:
        """Close; what is queued still goes out for a moment."""
        self.socket.close()

    def _admit(self, frames: list[zmq.Frame]) -> Arrival | Reached:
        if len(frames) != 2:
            msg = "an envelope is one frame"
            raise ProtocolError(msg)
        uid, pid = _peer(frames[1])
        if uid not in {os.getuid(), 0}:
            msg = f"uid {uid} may not speak here"
            raise ProtocolError(msg)
        word = Word(pid, frames[0].bytes, frames[1].bytes, uid)
        self._remember(pid, word.route)
        return self._judge(word)

    def _judge(self, word: Word) -> Arrival | Reached:
        """Whether the word may be heard; one of a process that is not introduced yet is kept for a moment."""
        actor = next((name for name, known in self._pids.items() if known == word.pid), None)
        envelope = unpack(word.payload) if word.payload else None
        if envelope is None and actor is not None:
            return Reached(actor)
        if envelope is not None and envelope.source in {*CLIENTS, actor}:
            return Arrival(word.route, envelope, word.uid, word.pid)
        if actor is None:
            self._early.keep(word)
        msg = f"pid {word.pid} is not {envelope.source if envelope else 'an actor'}"
        raise ProtocolError(msg)

    def _remember(self, pid: int, route: bytes) -> None:
        """Note the way to a process; of those that are no actors, the ones that were heard last."""
        self._routes.pop(pid, None)
        self._routes[pid] = route
        if len(self._routes) > ROUTES_KEPT:
            known = self._pids.values()
            del self._routes[next(pid for pid in self._routes if pid not in known)]


def make_room() -> None:
    """Take as many descriptors as there may be: libzmq 4.3 aborts when it cannot accept a connection (EMFILE)."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _peer(frame: zmq.Frame) -> tuple[int, int]:
    """Uid and pid of the sender, from ``localhost:UID:GID:PID``."""
    try:
        _, uid, _, pid = str(frame.get("Peer-Address")).split(":")
        return int(uid), int(pid)
    except (ValueError, zmq.ZMQError):
        msg = "the kernel does not say who sent this"
        raise ProtocolError(msg) from None
