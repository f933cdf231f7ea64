"""An inbox for a pykka actor that is fed by descriptors and ZeroMQ sockets instead of a queue alone.

The actor's own thread waits in ``get`` for whatever comes first: a message of a socket, a descriptor, a timer,
or something that another thread put there. That saves a bridging thread and a hop for each message (measured:
384 µs for a remote ask instead of 426), and a thread less is a thing less that can be stuck.
"""

import heapq
import os
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import zmq

from .effects import Tick

Source = Callable[[], Iterable[object]]


class Delivery:
    """What pykka's loop takes out of an inbox."""

    __slots__ = ("message", "reply_to")

    def __init__(self, message: Any) -> None:
        self.message = message
        self.reply_to = None


class Inbox:
    """Quacks like the ``queue.Queue`` that pykka would have made (``put``, ``get``, ``empty``)."""

    def __init__(self) -> None:
        self._ready: deque[Any] = deque()
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poller = zmq.Poller()
        self._poller.register(self._bell, zmq.POLLIN)
        self._sources: dict[Any, Source] = {}
        self._timers: list[tuple[float, int, str]] = []
        self._due: dict[str, int] = {}
        self._count = 0

    def watch(self, what: Any, source: Source, events: int = zmq.POLLIN) -> None:
        """Call ``source`` whenever the socket or descriptor is ready; what it yields is delivered."""
        self._poller.register(what, events)
        self._sources[what] = source

    def forget(self, what: Any) -> None:
        """Watch a socket or descriptor no longer."""
        if self._sources.pop(what, None) is not None:
            self._poller.unregister(what)

    def later(self, name: str, seconds: float) -> None:
        """Deliver ``Tick(name)`` after so many seconds; replaces an earlier one of that name."""
        self._count += 1
        self._due[name] = self._count
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._count, name))

    def never(self, name: str) -> None:
        """Do not deliver that ``Tick`` any more."""
        self._due.pop(name, None)

    def expects(self, name: str) -> bool:
        """Whether a ``Tick`` of that name will come."""
        return name in self._due

    def put(self, envelope: Any) -> None:
        """Deliver something; any thread may call this."""
        self._ready.append(envelope)
        os.eventfd_write(self._bell, 1)

    def waiting(self) -> int:
        """How many deliveries wait to be handled."""
        return len(self._ready)

    def empty(self) -> bool:
        """Whether nothing waits that pykka would have to answer at the end."""
        return not self._ready

    def get(self) -> Any:
        """Wait for the next delivery."""
        while not self._ready:
            for what, _ in self._poller.poll(self._patience()):
                if what == self._bell:
                    os.eventfd_read(self._bell)
                    continue
                source = self._sources.get(what)
                if source is not None:
                    self._ready.extend(Delivery(message) for message in source())
            self._ring()
        return self._ready.popleft()

    def _patience(self) -> int | None:
        if not self._timers:
            return None
        return max(0, int((self._timers[0][0] - time.monotonic()) * 1000) + 1)

    def _ring(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            _, count, name = heapq.heappop(self._timers)
            if self._due.get(name) == count:
                del self._due[name]
                self._ready.append(Delivery(Tick(name)))
