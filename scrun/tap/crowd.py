"""The containers of one state directory: what they say is told to an audience."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from proto import TAP_VERSION

from .births import Births
from .following import Following
from .hearing import Gap

if TYPE_CHECKING:
    import zmq

AT_ONCE = 1000
"""Messages that are taken before others have their turn."""
LARGEST = 1 << 62
NONSENSE = (ValueError, TypeError, KeyError, AttributeError)
"""What a listener raises when a message is none of the tap's contract: its sender may say anything."""

T_co = TypeVar("T_co", covariant=True)


class Listener(Protocol[T_co]):
    """What becomes of what one container says."""

    def hear(self, topic: str, body: dict[str, Any]) -> Iterable[T_co]:
        """Take a message in.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it is none of the tap's contract.

        """

    def leave(self) -> Iterable[T_co]:
        """It is there no more."""


class Audience(Protocol[T_co]):
    """Whoever listens to containers, and makes something of it."""

    def listener(self, root: str, name: str) -> Listener[T_co]:
        """The one for a container that was heard for the first time."""

    def gap(self, gap: Gap) -> Iterable[T_co]:
        """Something was not heard."""

    def refused(self) -> Iterable[T_co]:
        """A message of another version of the tap, or nonsense."""


class Crowd(Generic[T_co]):
    """One state directory.

    Attributes:
        sock: readable when a container has said something.
        births: of containers; its descriptor is readable when there is one.
        following: who is listened to.

    """

    def __init__(
        self, sock: "zmq.Socket[bytes]", following: Following, births: Births, audience: Audience[T_co]
    ) -> None:
        """Args:
        sock: the SUB of ``following``.
        following: who is listened to.
        births: of containers.
        audience: who wants to know.
        """
        self.sock = sock
        self.following = following
        self.births = births
        self._audience = audience
        self._listeners: dict[str, Listener[T_co]] = {}

    def hear(self) -> Iterator[T_co]:
        """What was said since the last call, as far as it is its turn."""
        import zmq

        self.following.expect(self.births.names())
        for _ in range(AT_ONCE):
            try:
                topic, frame = self.sock.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            except ValueError:  # not two frames
                yield from self._audience.refused()
                continue
            try:
                # What it has changed before it turns out to be nonsense counts: the container's own state has it, too.
                yield from self._message(topic, frame)
            except NONSENSE:
                yield from self._audience.refused()

    def look(self) -> Iterator[T_co]:
        """Who has come, and who has gone."""
        self.following.look()
        for _ in self.following.end():
            yield from self._audience.gap(Gap("unheard"))
        for name in self._listeners.keys() - self.following.ears.keys():
            yield from self._listeners.pop(name).leave()

    def leave(self) -> Iterator[T_co]:
        """The directory is there no more."""
        for listener in self._listeners.values():
            yield from listener.leave()

    def close(self) -> None:
        """Listen no longer."""
        self.following.close()
        self.births.close()
        self.sock.close()

    def _message(self, topic: bytes, frame: bytes) -> Iterator[T_co]:
        import msgpack

        body = msgpack.unpackb(frame)
        name = body["container"]
        ear = self.following.ears.get(name)
        if body["tap"] != TAP_VERSION:
            raise ValueError
        if ear is None:  # a last word of one that is left
            return
        for gap in ear.hearing.hear(topic.decode(), body):
            yield from self._audience.gap(gap)
        if name not in self._listeners:
            self._listeners[name] = self._audience.listener(self.following.root, name)
        yield from self._listeners[name].hear(topic.decode(), body)


def number(value: Any) -> float:
    """A number that a sum can bear.

    Raises:
        ValueError: it is none.

    """
    if not isinstance(value, int | float) or not 0 <= value < LARGEST:
        raise ValueError
    return value
