"""Which containers are listened to: one SUB socket that is connected to the tap of each, from its birth to its end."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from proto.errors import ScrunError
from proto.host.paths import ContainerPaths
from proto.host.sockets import Address
from scrun.box.box import Box, find

from .hearing import Hearing, subscriptions

if TYPE_CHECKING:
    import zmq

MESSAGE_LIMIT = 8 << 20
"""Bytes; twice what the hub lets in."""


class Ear:
    """One container: what was heard of it, and where it is connected."""

    def __init__(self, address: Address, prefixes: tuple[str, ...]) -> None:
        self.hearing = Hearing(*prefixes)
        self.doubted = False
        self.address = address
        # libzmq uses it again whenever it reconnects, so what a long path needs stays open.
        self.endpoint = f"ipc://{self.address.__enter__()}"


class Following:
    """The containers of a state directory that are listened to.

    Attributes:
        root: the state directory.
        ears: one for each container.
        born: those that have no socket yet, where one has to be seen first, and until when it is waited for.

    """

    def __init__(self, sock: "zmq.Socket[bytes]", root: str, prefixes: tuple[str, ...] = ()) -> None:
        """Args:
        sock: a SUB, not connected.
        root: state directory.
        prefixes: of the topics that are wanted; none: all.
        """
        import zmq

        sock.setsockopt(zmq.LINGER, 0)
        sock.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT)
        # A container is followed before it has a socket.
        sock.setsockopt(zmq.RECONNECT_IVL, 20)
        sock.setsockopt(zmq.RECONNECT_IVL_MAX, 100)
        for topic in subscriptions(*prefixes):
            sock.subscribe(topic)
        self._sock = sock
        self.root = root
        self._prefixes = prefixes
        self.ears: dict[str, Ear] = {}
        self.born: dict[str, float] = {}

    def begin(self, names: Iterable[str]) -> None:
        """Listen to containers; to those that it listens to already, and to what is none, it does nothing."""
        for name in names:
            if name in self.ears or name.startswith("."):  # a point: of the scheduler "local"
                continue
            try:
                ear = Ear(self.address(name), self._prefixes)
            except (ScrunError, OSError):
                continue  # no id, or gone
            self._sock.connect(ear.endpoint)
            self.ears[name] = ear

    def expect(self, names: Iterable[str]) -> None:
        """Listen to containers that were born just now."""
        self.begin(names)

    def look(self) -> None:
        """Listen to all containers of the directory that are alive, or about to be."""
        self.begin(name for name in self.names() if name not in self.ears and self.lives(name))

    def names(self) -> list[str]:
        """What is in the directory."""
        return os.listdir(self.root) if os.path.isdir(self.root) else []

    def address(self, name: str) -> Address:
        """Where a container can be heard.

        Raises:
            ScrunError, OSError: nowhere.

        """
        return Address(ContainerPaths(self.root, name).tap)

    def box(self, name: str) -> Box:
        """A container.

        Raises:
            ScrunError, OSError: it is none, none yet or none any more.

        """
        return find(self.root, name)

    def open(self, name: str, file: str) -> int:
        """A descriptor to read a file of a container.

        Raises:
            OSError: it is not there.

        """
        return os.open(f"{self.root}/{name}/{file}", os.O_RDONLY | os.O_CLOEXEC)

    def lives(self, name: str) -> bool:
        """Whether that container lives, or is being created."""
        try:
            return self.box(name).alive()
        except ScrunError:
            return os.path.isdir(f"{self.root}/{name}")

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

    def close(self) -> None:
        """Leave them all."""
        for ear in self.ears.values():
            ear.address.__exit__()
        self.ears.clear()
