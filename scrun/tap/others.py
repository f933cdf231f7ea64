"""Another user's containers that are listened to, by root: nothing that is not that user's is connected to.

A path that a user can change may lead to any socket of the host by the time that it is connected to. So the socket
itself is held by a descriptor, and that is what libzmq connects to, now and whenever it reconnects.
"""

import os
import time
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from proto.errors import ScrunError
from proto.host.paths import fd_path
from proto.host.sockets import Address
from scrun.box.all_users import Folder
from scrun.box.box import Box

from .following import Ear, Following

if TYPE_CHECKING:
    import zmq

LIMIT = 1000
"""Containers of one user that are listened to."""
MESSAGE_LIMIT = 256 << 10
"""Bytes. A longer one, which only a sentence of a hostile user's would be, costs its sender the connection."""
QUEUE = 200
"""Messages that wait from one container."""
PATIENCE = 5.0
"""Seconds in which a directory that was born may get its socket."""


class HeldSocket(Address):
    """The address of a socket that is held by a descriptor."""

    __slots__ = ()

    def __init__(self, descriptor: int) -> None:
        super().__init__(fd_path(descriptor))
        self._handle = descriptor

    def __enter__(self) -> str:
        return self._path

    def stale(self) -> bool:
        """Whether its file was removed: nothing will listen there again."""
        return os.fstat(self._handle).st_nlink == 0


class FollowingOthers(Following):
    """The containers of a user's state directory."""

    def __init__(self, sock: "zmq.Socket[bytes]", folder: Folder, prefixes: tuple[str, ...] = ()) -> None:
        import zmq

        super().__init__(sock, folder.root, prefixes)
        sock.setsockopt(zmq.MAXMSGSIZE, MESSAGE_LIMIT)
        sock.setsockopt(zmq.RCVHWM, QUEUE)
        self._folder = folder

    def expect(self, names: Iterable[str]) -> None:
        """Listen to containers that were born just now as soon as they have a socket."""
        now = time.monotonic()
        for name in islice((name for name in names if not name.startswith(".")), LIMIT):
            self.born.setdefault(name, now + PATIENCE)
        self.begin(self.born)
        self.born = {name: due for name, due in self.born.items() if name not in self.ears and due > now}

    def begin(self, names: Iterable[str]) -> None:
        """Listen to containers, as far as that is to be had of one user."""
        super().begin(islice(names, max(0, LIMIT - len(self.ears))))

    def names(self) -> list[str]:
        """What is in the directory."""
        return self._folder.names()

    def address(self, name: str) -> Address:
        """Where a container can be heard."""
        return HeldSocket(self._folder.socket(name))

    def box(self, name: str) -> Box:
        """A container."""
        return self._folder.box(name)

    def open(self, name: str, file: str) -> int:
        """A descriptor to read a file of a container that is the user's own."""
        return self._folder.open(name, file)

    def lives(self, name: str) -> bool:
        """Whether that container lives, or is being created."""
        ear: Ear | None = self.ears.get(name)
        if ear is not None and isinstance(ear.address, HeldSocket) and ear.address.stale():
            return False
        try:
            return self.box(name).alive()
        except (ScrunError, OSError):
            return self._folder.has(name)

    def end(self) -> list[str]:
        """Leave the containers that have ended.

        Returns:
            Those that were never heard, also such that never had a socket.

        """
        over = [name for name in self.born if not self._folder.has(name)]
        for name in over:
            del self.born[name]
        return [*super().end(), *over]
