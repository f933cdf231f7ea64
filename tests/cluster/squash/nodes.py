"""The files that the kernel knows by number, each held open by a descriptor that can do nothing (O_PATH)."""

from __future__ import annotations

import ctypes
import errno
import os
from collections import defaultdict

NOBODY = 65534
ROOT_NODE = 1

Asker = tuple[int, int]
"""User and group id."""

_libc = ctypes.CDLL(None)


class Nodes:
    """Numbers of files, which the kernel gets by looking up names and gives back when it has forgotten them.

    A name that the kernel remembers is looked up again for each asker. If that failed for one of them the kernel would
    take the file for gone, and unmount what anybody has mounted there, such as a container's /dev. So it does not fail:
    the asker is remembered as one who must not be at this file, until a way is found by which he may.
    """

    def __init__(self, top: str) -> None:
        path = os.open(top, os.O_PATH | os.O_DIRECTORY)
        self._paths = {ROOT_NODE: path}
        self._numbers = {_identity(path): ROOT_NODE}
        self._times: dict[int, int] = defaultdict(int, {ROOT_NODE: 1})
        self._strangers: dict[int, set[Asker]] = defaultdict(set)
        self._next = ROOT_NODE + 1

    def path(self, node: int) -> int:
        """The descriptor."""
        return self._paths[node]

    def way(self, node: int) -> str:
        """A name for the file itself, be it a symbolic link, which works whatever became of its own."""
        return f"/proc/self/fd/{self._paths[node]}"

    def status(self, node: int) -> os.stat_result:
        return os.fstat(self._paths[node])

    def refuse_stranger(self, node: int, asker: Asker) -> None:
        """Raise PermissionError if the asker has come to the file through a closed directory."""
        if asker in self._strangers.get(node, ()):
            raise PermissionError(errno.EACCES, "")

    def find(self, parent: int, name: bytes, asker: Asker) -> int:
        """Look a name up as the asker, in whose name this process acts.

        Returns:
            the file's number, which the kernel has then got once more.

        """
        try:
            self.refuse_stranger(parent, asker)
            path = os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=self._paths[parent])
        except PermissionError:
            node = self._remembered(parent, name)
            self._strangers[node].add(asker)
        else:
            node = self._number(path)
            self._strangers[node].discard(asker)
        self._times[node] += 1
        return node

    def forget(self, node: int, times: int) -> None:
        self._times[node] -= times
        if not self._times[node] and node != ROOT_NODE:
            path = self._paths.pop(node)
            del self._times[node], self._numbers[_identity(path)]
            self._strangers.pop(node, None)
            os.close(path)

    def _number(self, path: int) -> int:
        identity = _identity(path)
        if identity in self._numbers:
            os.close(path)
        else:
            self._numbers[identity] = self._next
            self._paths[self._next] = path
            self._next += 1
        return self._numbers[identity]

    def _remembered(self, parent: int, name: bytes) -> int:
        """The number of a file that the kernel knows, for somebody who must not go there."""
        act_as(None)
        try:
            found = os.stat(name, dir_fd=self._paths[parent], follow_symlinks=False)
            return self._numbers[found.st_dev, found.st_ino]
        except (OSError, KeyError):
            raise PermissionError(errno.EACCES, "") from None


def act_as(asker: Asker | None) -> None:
    """Let the file system decide about what follows as about the asker's own doing; root, who is None, is nobody there.

    The group first: to change it takes a capability that is there for root only.
    """
    uid, gid = (one or NOBODY for one in asker) if asker else (0, 0)
    _libc.setfsgid(gid)
    _libc.setfsuid(uid)


def _identity(path: int) -> tuple[int, int]:
    found = os.fstat(path)
    return found.st_dev, found.st_ino
