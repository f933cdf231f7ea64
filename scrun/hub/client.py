"""Asks a container's state actor for something, over the hub, and waits for the answer.

Actors are replaced when they die, so a lost connection means little as long as the anchor lives: the client
connects again and repeats its request under the same id, which makes the repetition harmless. On the path of the
hot verbs.
"""

import os
import time

from proto import PROTOCOL_VERSION
from proto import exit_codes as signals
from proto.errors import AnchorGoneError, DeadlineError, ProtocolError, from_wire
from proto.wire.msgpack_subset import Wire, pack, unpack
from scrun.box.box import Box

from .zmtp import Dealer

# How often the anchor is looked after while an answer is awaited.
_LOOK = 0.25
# Pause before a connection that was refused is tried again.
_AGAIN = 0.01
# Connections on which the hub may talk nonsense before that counts as its answer.
_PATIENCE = 10

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

Body = dict[str, Wire]


class Request:
    """One request, the same however often it is sent; ``meanwhile`` is called as long as there is no answer."""

    def __init__(self, kind: str, body: Body, seconds: float | None, meanwhile: "Callable[[], None] | None") -> None:
        self.meanwhile = meanwhile
        self.kind = kind
        self.body = body
        self.id = os.urandom(8).hex()
        self.deadline = None if seconds is None else time.monotonic() + seconds

    def left(self) -> float | None:
        """Seconds until the deadline; None if there is no deadline."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def frame(self) -> bytes:
        left = self.left()
        milliseconds = 0 if left is None else max(1, int(left * 1000))
        return pack([PROTOCOL_VERSION, "state", "client", self.kind, self.id, None, milliseconds, 0, self.body])

    def check(self) -> None:
        """Raise DeadlineError if it is too late."""
        left = self.left()
        if left is not None and left <= 0:
            raise DeadlineError(f"no answer to {self.kind} in time; try again")


def ask(
    container: Box, kind: str, body: Body, seconds: float | None, meanwhile: "Callable[[], None] | None" = None
) -> Body:
    """Send a request and return the body of the answer.

    Args:
        container: whose hub to ask.
        kind: ``start``, ``kill`` or ``delete``.
        body: of the request.
        seconds: how long to wait; None for as long as the anchor lives.
        meanwhile: called some four times a second as long as there is no answer.

    Raises:
        AnchorGoneError: the anchor ended before it answered.
        DeadlineError: there was no answer in time.
        ScrunError: what the state actor answered.

    """
    request = Request(kind, body, seconds, meanwhile)
    nonsense = 0
    while True:
        try:
            word, answer = _converse(container, request)
            break
        except OSError:
            pass  # the state actor is not there, or gone: wait for the successor
        except ProtocolError:
            nonsense += 1
            if nonsense == _PATIENCE:
                raise
        _look(container, request)
        time.sleep(_AGAIN)
    if word == "failed":
        raise from_wire(str(answer.get("code")), str(answer.get("sentence")))
    return answer


def _look(container: Box, request: Request) -> None:
    """Is there any point in waiting on?"""
    if not container.alive():
        raise AnchorGoneError(f"container {container.paths.id} has ended")
    # An anchor that the user or root has stopped cannot obey; to any other this means nothing.
    container.kill_anchor(signals.CONT)
    if request.meanwhile is not None:
        request.meanwhile()
    request.check()


def _converse(container: Box, request: Request) -> tuple[str, Body]:
    """One connection, until the answer comes (its type and body) or the connection is lost."""
    dealer = Dealer(container.paths.hub, _LOOK)
    try:
        _wait(dealer, container, request, dealer.handshake)
        dealer.send(request.frame())
        while True:
            frame = _wait(dealer, container, request, dealer.receive)
            answer = _answer(unpack(frame), request)
            if answer is not None:
                return answer
            request.check()
    finally:
        dealer.close()


def _wait(dealer: Dealer, container: Box, request: Request, call: "Callable[[], T]") -> "T":
    """Repeat a call that times out, for as long as there is any point in waiting."""
    while True:
        left = request.left()
        dealer.timeout(_LOOK if left is None else min(_LOOK, left))
        try:
            return call()
        except TimeoutError:
            _look(container, request)


def _answer(envelope: Wire, request: Request) -> tuple[str, Body] | None:
    """Type and body of the answer; None for a message that is none to this request."""
    match envelope:
        case [int(version), str(), str(), str(kind), str(), str(cause), int(), int(), dict(body)] if (
            version == PROTOCOL_VERSION and cause == request.id and kind in {"done", "failed"}
        ):
            return kind, body
        case _:
            return None
