"""The frame around each message: who, to whom, what, why, until when (``docs/protocol.md``).

One message is one ZeroMQ frame: a msgpack list of nine. The order is part of the protocol, since the hot verbs
pack it by hand (``proto.wire.msgpack_subset``).
"""

import os

import msgpack

from proto import PROTOCOL_VERSION
from proto.errors import ProtocolError
from proto.value import Value

from .codec import from_plain, to_plain
from .registry import Message, class_of, word_of

FRAME_LIMIT = 4 << 20
"""Largest frame in bytes that a socket of ours takes (``ZMQ_MAXMSGSIZE``): all arguments of a program, which may have
2 MiB together, and some more. What is longer would break the connection each time that it is repeated."""


def new_id() -> str:
    """A fresh message id: 16 hexadecimal digits."""
    return os.urandom(8).hex()


class Envelope(Value):
    """A message on its way.

    Attributes:
        destination, source: actor name, ``client`` or ``console``.
        id: repeated requests carry the same id; the receiver carries out one of them.
        cause: id of the message that led to this one, or None. In a reply: the id of the request.
        deadline: milliseconds after which the answer is of no use; 0 for none.
        incarnation: of the source; 0 for clients.
        message: the body.

    """

    destination: str
    source: str
    message: Message
    id: str = ""
    cause: str | None = None
    deadline: int = 0
    incarnation: int = 0

    def pack(self) -> bytes:
        """Return the frame."""
        frame: bytes = msgpack.packb([
            PROTOCOL_VERSION, self.destination, self.source, word_of(type(self.message)), self.id or new_id(),
            self.cause, self.deadline, self.incarnation, to_plain(self.message),
        ])  # fmt: skip
        return frame


def unpack(frame: bytes) -> Envelope:
    """Return the envelope of a frame.

    Raises:
        ProtocolError: not msgpack, another protocol version, an unknown message type, or a wrong body.

    """
    try:
        plain = msgpack.unpackb(frame)
    except ValueError as error:  # every error of msgpack is one
        msg = f"the frame is not msgpack: {error}"
        raise ProtocolError(msg) from None
    match plain:
        case [int(version), str(destination), str(source), str(word), str(id_), None | str() as cause,
              int(deadline), int(incarnation), dict(body)]:  # fmt: skip
            pass
        case _:
            msg = "the frame is not an envelope of nine"
            raise ProtocolError(msg)
    if version != PROTOCOL_VERSION:
        msg = f"protocol version {version} is not spoken here, {PROTOCOL_VERSION} is"
        raise ProtocolError(msg)
    message = from_plain(class_of(word), body)
    return Envelope(destination, source, message, id_, cause, deadline, incarnation)
