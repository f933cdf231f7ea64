"""The socketpair between the anchor and one actor: what must work without the hub.

A stream with a length in front of each message, not SEQPACKET: a command line may be longer than the largest
packet that the kernel takes (about 200 KiB), and runc's callers send arguments of 128 KiB and environments of
10,000 entries. A message is a msgpack list ``[word, body]``.

The anchor must never wait for an actor, so its end queues what the kernel does not take.
"""

import socket
import struct

import msgpack

from proto.errors import ProtocolError
from proto.wire.codec import from_plain, to_plain
from proto.wire.registry import Message, class_of, word_of

_LENGTH = struct.Struct("<I")
MESSAGE_LIMIT = 64 << 20
QUEUE_LIMIT = 16 << 20
"""Bytes that the anchor queues for an actor that does not read; beyond it the actor counts as stuck."""


class Channel:
    """One end. Reading never blocks; writing blocks only in an actor.

    Attributes:
        sent, received: how many messages went, and came, by this end.

    """

    def __init__(self, sock: socket.socket, *, patient: bool) -> None:
        """Args:
        sock: one end of the socketpair.
        patient: whether ``send`` waits until the other end has room (an actor's end).
        """
        self._sock = sock
        self._patient = patient
        self._received = bytearray()
        self._queued = bytearray()
        self.sent = 0
        self.received = 0
        sock.setblocking(patient)

    def fileno(self) -> int:
        """The descriptor, for a poller."""
        return self._sock.fileno()

    @property
    def backlog(self) -> int:
        """Bytes that wait for the other end."""
        return len(self._queued)

    def send(self, message: Message) -> None:
        """Send, or queue, one message.

        Raises:
            ConnectionError: the other end is gone.

        """
        payload = msgpack.packb([word_of(type(message)), to_plain(message)])
        self.sent += 1
        self._queued += _LENGTH.pack(len(payload)) + payload
        self.flush()

    def flush(self) -> None:
        """Write what is queued, as far as it goes."""
        while self._queued:
            try:
                sent = self._sock.send(self._queued, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            del self._queued[:sent]

    def receive(self) -> list[Message] | None:
        """Return the whole messages that have come; None at the end of the stream.

        Raises:
            ProtocolError: the other end does not speak this language.

        """
        ended = False
        while True:
            try:
                data = self._sock.recv(1 << 18, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except ConnectionError:
                data = b""
            if not data:
                ended = True
                break
            self._received += data
        messages = list(self._whole())
        self.received += len(messages)
        return None if ended and not messages else messages

    def _whole(self) -> "list[Message]":
        messages: list[Message] = []
        while len(self._received) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._received)
            if length > MESSAGE_LIMIT:
                msg = f"a message of {length} bytes is announced"
                raise ProtocolError(msg)
            end = _LENGTH.size + length
            if len(self._received) < end:
                break
            payload = bytes(self._received[_LENGTH.size : end])
            del self._received[:end]
            try:
                word, body = msgpack.unpackb(payload)
                messages.append(from_plain(class_of(word), body))
            except (ValueError, TypeError) as error:  # no msgpack, no pair, a word that is no text
                msg = f"that is no message: {error}"
                raise ProtocolError(msg) from None
        return messages

    def close(self) -> None:
        """Close this end."""
        self._sock.close()
