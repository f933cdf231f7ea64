"""The containers of one state directory: what they say becomes changes of metrics."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from proto import TAP_VERSION
from scrun.tap.births import Births
from scrun.tap.following import Following

from .life import Life, number
from .metrics import Change

if TYPE_CHECKING:
    import zmq

AT_ONCE = 1000
"""Messages that are taken before others have their turn."""
NONSENSE = (ValueError, TypeError, KeyError, AttributeError)


class Crowd:
    """One state directory.

    Attributes:
        sock: readable when a container has said something.
        births: of containers; its descriptor is readable when there is one.
        following: who is listened to.

    """

    def __init__(self, sock: "zmq.Socket[bytes]", following: Following, births: Births, since: float) -> None:
        """Args:
        sock: the SUB of ``following``.
        following: who is listened to.
        births: of containers.
        since: when the exporter began, in seconds since the epoch.
        """
        self.sock = sock
        self.following = following
        self.births = births
        self._since = since
        self._lives: dict[str, Life] = {}

    def hear(self) -> Iterator[Change]:
        """What was said since the last call, as far as it is its turn."""
        import zmq

        self.following.expect(self.births.names())
        for _ in range(AT_ONCE):
            try:
                topic, frame = self.sock.recv_multipart(zmq.DONTWAIT)
            except zmq.Again:
                return
            except ValueError:  # not two frames
                yield Change("scrun_tap_refused_messages_total")
                continue
            try:
                # What it has changed before it turns out to be nonsense counts: the container's own state has it, too.
                yield from self._message(topic, frame)
            except NONSENSE:
                yield Change("scrun_tap_refused_messages_total")

    def look(self) -> Iterator[Change]:
        """Who has come, and who has gone."""
        self.following.look()
        for _ in self.following.end():
            yield Change("scrun_tap_gaps_total", "unheard")
        for name in self._lives.keys() - self.following.ears.keys():
            yield from self._lives.pop(name).leave()

    def leave(self) -> Iterator[Change]:
        """The directory is there no more."""
        for life in self._lives.values():
            yield from life.leave()

    def close(self) -> None:
        """Listen no longer."""
        self.following.close()
        self.births.close()
        self.sock.close()

    def _message(self, topic: bytes, frame: bytes) -> Iterator[Change]:
        import msgpack

        body = msgpack.unpackb(frame)
        name = body["container"]
        ear = self.following.ears.get(name)
        if body["tap"] != TAP_VERSION:
            raise ValueError
        if ear is None:  # a last word of one that is left
            return
        for gap in ear.hearing.hear(topic.decode(), body):
            yield Change("scrun_tap_gaps_total", gap.why)
            if gap.lost:
                yield Change("scrun_tap_lost_messages_total", "", number(gap.lost))
        if name not in self._lives:
            self._lives[name] = Life(self._since)
        yield from self._lives[name].hear(topic.decode(), body)
