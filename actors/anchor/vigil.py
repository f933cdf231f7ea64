"""What actors at rest have left to wait for: their descriptors, and the connections of their launcher.

The anchor waits in one poll(2) anyway; that it watches some descriptors more costs nothing as long as nothing happens.
"""

import contextlib
import select

from actors.slurm.lost_nodes import connections
from proto.life import talk

from .children import Child
from .descriptors import Descriptors

LOOK = 30.0
"""Seconds between two looks at the connections of a launcher, half a millisecond each. The actor that is brought back
looks twice itself before it asks Slurm anything."""


class Vigil:
    """Who rests, and what for."""

    def __init__(self, poller: select.poll, descriptors: Descriptors) -> None:
        """Args:
        poller: the anchor's.
        descriptors: the anchor's, by name.
        """
        self._poller = poller
        self._descriptors = descriptors
        self._watched: dict[int, Child] = {}
        self._launchers: dict[str, talk.Rest] = {}
        self._look = 0.0

    def may_begin(self, rest: talk.Rest) -> bool:
        """Whether what it would wait for has not happened already; a descriptor that is ready tells by itself."""
        found = connections(rest.launcher) if rest.launcher else None
        return found is None or found >= rest.connections

    def begin(self, child: Child, rest: talk.Rest, now: float) -> None:
        """Wait in its place."""
        for name, events in rest.descriptors.items():
            with contextlib.suppress(KeyError):  # closed meanwhile
                number = self._descriptors.number(name)
                self._poller.register(number, events)
                self._watched[number] = child
        if rest.launcher:
            self._launchers[child.name] = rest
            self._look = max(self._look, now + LOOK)

    def end(self, child: Child) -> None:
        """It is back, or will be."""
        self._launchers.pop(child.name, None)
        for number in [number for number, whose in self._watched.items() if whose is child]:
            del self._watched[number]
            self._poller.unregister(number)

    def whose(self, number: int) -> Child | None:
        """Who has left that descriptor."""
        return self._watched.get(number)

    def moments(self) -> list[float]:
        """When to look at connections, if there are any."""
        return [self._look] if self._launchers else []

    def look(self, now: float) -> list[str]:
        """Names of those whose launcher has lost a connection, if it is time to look."""
        if not any(moment <= now for moment in self.moments()):
            return []
        self._look = now + LOOK
        return [name for name, rest in self._launchers.items() if not self.may_begin(rest)]
