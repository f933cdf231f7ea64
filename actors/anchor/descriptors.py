"""The anchor's store of descriptors, by name. Actors inherit them by fork, commands by ``stdio``."""

import contextlib
import os
import socket

from proto.host.paths import ContainerPaths
from proto.host.reserve import reserve
from proto.host.sockets import Address


class Descriptors:
    """Names to descriptor numbers, all of them above 2, closed on exec, and owned by the anchor."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._numbers

    def number(self, name: str) -> int:
        """The number of a stored descriptor.

        Raises:
            KeyError: there is none of that name (any more).

        """
        return self._numbers[name]

    def put(self, name: str, number: int) -> None:
        """Take a descriptor over."""
        self._numbers[name] = number

    def named(self, names: tuple[str, ...]) -> dict[str, int]:
        """Those of ``names`` that are there."""
        return {name: self._numbers[name] for name in names if name in self._numbers}

    def close(self, *names: str) -> None:
        """Close some; those that are gone already are no error."""
        for name in names:
            number = self._numbers.pop(name, None)
            if number is not None:
                with contextlib.suppress(OSError):
                    os.close(number)

    def close_all(self) -> None:
        """Close all of them."""
        self.close(*self._numbers)


def listen(path: str) -> int:
    """Return a socket that listens at ``path``, mode 0600, whatever the path's length.

    libzmq would unlink whatever is there before it binds; a socket that is made here and handed down
    (``ZMQ_USE_FD``) cannot be stolen and outlives the state actor.
    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    mask = os.umask(0o177)
    try:
        with Address(path) as address:
            sock.bind(address)
    finally:
        os.umask(mask)
    sock.listen(128)
    return sock.detach()


def sockets(paths: ContainerPaths) -> dict[str, int]:
    """The two listening sockets of a container, and the hub's file as a way there that needs no path."""
    found = {"hub": listen(paths.hub), "tap": listen(paths.tap)}
    return found | {"hub-file": os.open(paths.hub, os.O_PATH | os.O_CLOEXEC)}


def open_log(path: str, room: int) -> int:
    """Open a file for the words of a command, and keep room for so many bytes of them.

    Raises:
        OSError: that cannot be done.

    """
    number = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        if room:
            reserve(number, 0, room)
    except OSError:
        os.close(number)
        raise
    return number
