"""The few lines of ZMTP 3.1 that a DEALER needs to talk to a ROUTER without libzmq (NULL security).

Importing pyzmq would cost four times as much as the whole call. On the path of the hot verbs: ``_socket`` only.
"""

from _socket import AF_UNIX, SOCK_STREAM
from _socket import socket as Socket  # noqa: N812 - it is a class

from proto.errors import ProtocolError
from proto.host.sockets import Address

MORE, LONG, COMMAND = 1, 2, 4
FRAME_LIMIT = 1 << 20

_GREETING = b"\xff" + bytes(8) + b"\x7f" + b"\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
_READY = b"\x05READY" + b"\x0bSocket-Type" + (6).to_bytes(4, "big") + b"DEALER" + b"\x08Identity" + bytes(4)


def frame(payload: bytes, flags: int = 0) -> bytes:
    """One frame on the wire."""
    if len(payload) < 256:
        return bytes((flags, len(payload))) + payload
    return bytes((flags | LONG,)) + len(payload).to_bytes(8, "big") + payload


class Dealer:
    """A connection to a ROUTER's Unix socket.

    Every method raises ``OSError`` when the connection is lost or refused, ``TimeoutError`` (an ``OSError``) when
    nothing comes within the time given to ``timeout``, and ``ProtocolError`` on what is not ZMTP.
    """

    __slots__ = ("_buffer", "_ready", "_sock")

    def __init__(self, path: str, seconds: float) -> None:
        self._buffer = b""
        self._ready = False
        self._sock = Socket(AF_UNIX, SOCK_STREAM)
        try:
            self.timeout(seconds)
            with Address(path) as address:
                self._sock.connect(address)
            self._sock.sendall(_GREETING + frame(_READY, COMMAND))
        except BaseException:
            self._sock.close()
            raise

    def close(self) -> None:
        self._sock.close()

    def timeout(self, seconds: float) -> None:
        """How long the next calls may wait."""
        self._sock.settimeout(max(seconds, 0.001))

    def handshake(self) -> None:
        """Wait until the peer is ready; may be called again after a ``TimeoutError``."""
        if self._ready:
            return
        self._need(len(_GREETING))
        greeting = self._buffer
        if greeting[0] != 0xFF or greeting[9] != 0x7F or greeting[10] < 3 or greeting[12:17] != b"NULL\0":
            raise ProtocolError("the hub's socket does not speak ZMTP 3")
        # The greeting stays in the buffer until all of the handshake is there: a timeout loses nothing.
        flags, start, end = self._frame_at(len(_GREETING))
        if not flags & COMMAND or self._buffer[start : start + 6] != b"\x05READY":
            raise ProtocolError("the hub refuses to talk")
        self._buffer = self._buffer[end:]
        self._ready = True

    def send(self, payload: bytes) -> None:
        self._sock.sendall(frame(payload))

    def receive(self) -> bytes:
        """The next message of one frame; others are skipped, and pings answered."""
        while True:
            flags, start, end = self._frame_at(0)
            payload = self._buffer[start:end]
            if flags & COMMAND:
                self._buffer = self._buffer[end:]
                if payload[:5] == b"\x04PING":
                    self._sock.sendall(frame(b"\x04PONG" + payload[7:], COMMAND))
            elif flags & MORE:
                self._skip_message(end)
            else:
                self._buffer = self._buffer[end:]
                return payload

    def _skip_message(self, end: int) -> None:
        """Drop a message of several frames."""
        flags = MORE
        while flags & MORE:
            flags, _, end = self._frame_at(end)
        self._buffer = self._buffer[end:]

    def _frame_at(self, at: int) -> tuple[int, int, int]:
        """Flags, start and end of the frame that begins at ``at`` of the buffer, once all of it is there."""
        self._need(at + 2)
        flags = self._buffer[at]
        if flags & ~(MORE | LONG | COMMAND):
            raise ProtocolError("the hub's socket sent something that is no frame")
        start = at + (9 if flags & LONG else 2)
        self._need(start)
        size = int.from_bytes(self._buffer[at + 1 : start], "big")
        if start + size > FRAME_LIMIT:
            raise ProtocolError(f"a frame of {size} bytes is too large")
        self._need(start + size)
        return flags, start, start + size

    def _need(self, count: int) -> None:
        while len(self._buffer) < count:
            data = self._sock.recv(65536)
            if not data:
                raise ConnectionResetError
            self._buffer += data
