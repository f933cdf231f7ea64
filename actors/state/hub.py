"""The hub: the ROUTER that all talk goes through, and who may say what.

Only the owner's uid and root are listened to, and a message that claims to come from an actor must come from
that actor's process: the kernel's word on the peer (``SO_PEERCRED``, as libzmq hands it out with every frame)
decides. A frame that breaks a rule is dropped and nothing else happens.
"""

import contextlib
import os
from collections.abc import Iterator

import zmq

from proto.envelope import FRAME_LIMIT, Envelope, unpack
from proto.errors import ProtocolError
from proto.paths import endpoint
from proto.value import Value

CLIENTS = frozenset({"client", "console"})
FRAMES_AT_ONCE = 100


class Arrival(Value):
    """A message at the hub. ``route``: where a reply goes. ``trusted``: it comes from the actor it names."""

    route: bytes
    envelope: Envelope


class Hub:
    """The ROUTER on a listening socket that the anchor made and keeps."""

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", listener: int, path: str) -> None:
        self.socket = context.socket(zmq.ROUTER)
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.socket.setsockopt(zmq.MAXMSGSIZE, FRAME_LIMIT)
        self.socket.setsockopt(zmq.LINGER, 300)
        self.socket.setsockopt(zmq.USE_FD, os.dup(listener))
        self.socket.bind(endpoint(path))
        self.pids: dict[str, int] = {}
        self.dropped = 0

    def arrivals(self) -> Iterator[Arrival]:
        """What has come and may be listened to; a flood must leave time for clocks and the lease."""
        for _ in range(FRAMES_AT_ONCE):
            try:
                frames = self.socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return
            try:
                yield self._admit(frames)
            except ProtocolError:
                self.dropped += 1

    def send(self, route: bytes, envelope: Envelope) -> bool:
        """Send; False if there is nobody at that address (now), or if it does not read."""
        with contextlib.suppress(zmq.Again, zmq.ZMQError):
            self.socket.send_multipart([route, envelope.pack()], zmq.DONTWAIT)
            return True
        return False

    def close(self) -> None:
        """Close; what is queued still goes out for a moment."""
        self.socket.close()

    def _admit(self, frames: list[zmq.Frame]) -> Arrival:
        if len(frames) != 2:
            msg = "an envelope is one frame"
            raise ProtocolError(msg)
        uid, pid = _peer(frames[1])
        if uid not in {os.getuid(), 0}:
            msg = f"uid {uid} may not speak here"
            raise ProtocolError(msg)
        envelope = unpack(frames[1].bytes)
        if envelope.source not in CLIENTS and self.pids.get(envelope.source) != pid:
            msg = f"pid {pid} is not {envelope.source}"
            raise ProtocolError(msg)
        return Arrival(frames[0].bytes, envelope)


def _peer(frame: zmq.Frame) -> tuple[int, int]:
    """Uid and pid of the sender, from ``localhost:UID:GID:PID``."""
    try:
        _, uid, _, pid = str(frame.get("Peer-Address")).split(":")
        return int(uid), int(pid)
    except (ValueError, zmq.ZMQError):
        msg = "the kernel does not say who sent this"
        raise ProtocolError(msg) from None
