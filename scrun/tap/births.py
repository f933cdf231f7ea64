"""Directories that appear in a directory, told by the kernel (inotify(7)): a look now and then would miss some."""

import ctypes
import os
import struct

_CREATE = 0x100  # linux/inotify.h
_ONLYDIR = 0x01000000
_EVENT = struct.Struct("iIII")
_ROOM = 1 << 16


class Births:
    """Watches one directory.

    Where the kernel has no watch left, for a user may have a limited number, none is told.

    Attributes:
        descriptor: readable when there is something; -1 if it cannot be watched.

    """

    def __init__(self, directory: str) -> None:
        libc = ctypes.CDLL(None)
        self.descriptor: int = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        path = ctypes.c_char_p(os.fsencode(directory))
        if self.descriptor >= 0 and libc.inotify_add_watch(self.descriptor, path, _CREATE | _ONLYDIR) < 0:
            self.close()

    def names(self) -> list[str]:
        """What has appeared since the last call. If it was too much for the kernel to keep, names are missing."""
        found = []
        try:
            data = os.read(self.descriptor, _ROOM)
        except OSError:  # nothing there, or not watched
            return []
        at = 0
        while at < len(data):
            _, _, _, size = _EVENT.unpack_from(data, at)
            at += _EVENT.size
            name = data[at : at + size].rstrip(b"\0")
            at += size
            if name:
                found.append(os.fsdecode(name))
        return found

    def close(self) -> None:
        """Watch no longer."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
