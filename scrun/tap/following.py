"""Which containers are listened to: one SUB socket that is connected to the tap of each, from its birth to its end."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from proto.errors import ScrunError
from proto.host.paths import ContainerPaths
from proto.host.sockets import Address
from scrun.box.box import find

from .hearing import Hearing, subscriptions

if TYPE_CHECKING:
    import zmq

MESSAGE_LIMIT = 8 << 20
"""Bytes; twice what the hub lets in."""


class Ear:
    """One container: what was heard of it, and where it is connected."""

    def __init__(self, path: str, prefix: str) -> None:
        self.hearing = Hearing(prefix)
        self.doubted = False
        self.address = Address(path)
        # libzmq uses it again whenever it reconnects, so what a long path needs stays open.
        self.endpoint = f"ipc://{self.address.__enter__()}"


class Following:
    """The containers of a state directory that are listened to."""

    def __init__(self, sock: "zmq.Socket[bytes]", root: str, prefix: str) -> None:
        """Args:
        sock: a SUB, not connected.
        root: state directory.
        prefix: of the topics that are wanted.
        """
        import zmq

        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT)
        # A container is followed before it has a socket.
        sock.setsockopt(zmq.RECONNECT_IVL, 20)
        sock.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
        for topic in subscriptions(prefix):
            sock.subscribe(topic)
        self._sock = sock
        self._root = root
        self._prefix = prefix
        self.ears: dict[str, Ear] = {}

    def begin(self, names: Iterable[str]) -> None:
        """Listen to containers; to those that it listens to already, and to what is none, it does nothing."""
        for name in names:
            if name in self.ears or name.startswith("."):  # a point: of the scheduler "local"
                continue
            try:
                ear = Ear(ContainerPaths(self._root, name).tap, self._prefix)
            except (ScrunError, OSError):
                continue  # no id, or gone
            self._sock.connect(ear.endpoint)
            self.ears[name] = ear

    def look(self) -> None:
        """Listen to all containers of the directory that are alive, or about to be."""
        names = os.listdir(self._root) if os.path.isdir(self._root) else []
        self.begin(name for name in names if name not in self.ears and self.lives(name))

    def lives(self, name: str) -> bool:
        """Whether that container lives, or is being created."""
        try:
            return find(self._root, name).alive()
        except ScrunError:
            return os.path.isdir(f"{self._root}/{name}")

    def end(self) -> list[str]:
        """Leave the containers that have ended: at the second call, so that their last words are heard.

        Returns:
            Those of them that were never heard.

        """
        unheard = []
        for name, ear in list(self.ears.items()):
            gone = not self.lives(name)
            if gone and ear.doubted:
                self._sock.disconnect(ear.endpoint)
                ear.address.__exit__()
                del self.ears[name]
                if not ear.hearing.incarnation:
                    unheard.append(name)
            ear.doubted = gone
        return unheard
