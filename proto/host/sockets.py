"""Addresses of Unix sockets: 107 bytes, where a path may have 4095 and a container's id alone 255.

A longer path is named through a descriptor of its directory: ``/proc/self/fd/N/NAME``. On the path of the hot verbs.
"""

import os

ADDRESS_LIMIT = 107
"""``sizeof(sun_path)`` without the zero at its end (unix(7))."""


class Address:
    """The address of a socket's file for ``bind`` or ``connect``, whatever the path's length, as a context.

    Raises:
        OSError: on entry; the directory is not there.

    """

    __slots__ = ("_handle", "_path")

    def __init__(self, path: str) -> None:
        self._path = path
        self._handle = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._path)) <= ADDRESS_LIMIT:
            return self._path
        directory, name = os.path.split(self._path)
        self._handle = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        return f"/proc/self/fd/{self._handle}/{name}"

    def __exit__(self, *_: object) -> None:
        if self._handle >= 0:
            os.close(self._handle)


def endpoint(path: str) -> str:
    """The address for libzmq. It uses it again when it reconnects, so a descriptor is left open where one is needed."""
    return f"ipc://{Address(path).__enter__()}"
