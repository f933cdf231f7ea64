"""A walk through a tree that holds two descriptors, however deep it goes, and follows no link.

Paths have an end (PATH_MAX, 4,096 bytes) and so have descriptors (1,024 in many a shell), but directories may be nested
as deep as a program likes. So each step is taken from the directory before it, and the way back is its ``..``, which is
looked at: it must be the directory from which the step was taken.
"""

import errno
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from typing import Self

_DIRECTORY = os.O_DIRECTORY | os.O_CLOEXEC


class Trail:
    """The way from the top of a tree to one of its directories.

    A directory that is closed to its own owner is opened to him as long as the walk is in it or below: a server of
    network files knows no root but its own.

    Args:
        top: the top of the tree.
        at: descriptor of the directory in which ``top`` is a name, which may then be no link.
        writing: whether directories are changed, and not only read.
        opening: whether closed directories are opened; if not, stepping into one fails.

    Attributes:
        fd: descriptor of the directory in which the walk is.
        status: its status as it was before the walk came there.
        names: the way to it from the top.

    Raises:
        OSError: the top is no directory that can be opened.

    """

    def __init__(self, top: str, at: int | None = None, *, writing: bool = False, opening: bool = True) -> None:
        self._rights = os.R_OK | os.X_OK | (os.W_OK if writing else 0)
        self._opening = opening
        self.names: list[str] = []
        self.fd, status, self._closed = self._open(top, at, 0 if at is None else os.O_NOFOLLOW)
        self._before: list[tuple[os.stat_result, int | None]] = []
        self.status = status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the tree; directories that were opened to their owner are closed again."""
        try:
            self.go(())
        except OSError:
            pass  # somebody has moved a directory on the way; the others stay open to their owner
        self._close_to_owner()
        os.close(self.fd)

    def down(self, name: str) -> os.stat_result:
        """Step into a directory; return its status as it was before.

        Raises:
            OSError: it is no directory, or closed; the walk has not moved.

        """
        fd, status, closed = self._open(name, self.fd, os.O_NOFOLLOW)
        self._before.append((self.status, self._closed))
        os.close(self.fd)
        self.fd, self.status, self._closed = fd, status, closed
        self.names.append(name)
        return status

    def up(self) -> None:
        """Step back.

        Raises:
            OSError: the directory has been moved somewhere else meanwhile.

        """
        status, closed = self._before[-1]
        above = os.open("..", os.O_RDONLY | os.O_NOFOLLOW | _DIRECTORY, dir_fd=self.fd)
        if not os.path.samestat(os.fstat(above), status):
            os.close(above)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), "/".join(self.names))
        self._close_to_owner()
        os.close(self.fd)
        self._before.pop()
        self.names.pop()
        self.fd, self.status, self._closed = above, status, closed

    def go(self, names: Sequence[str]) -> int:
        """Go to the directory that a way from the top leads to; return its descriptor.

        Raises:
            OSError: there is no such directory; the walk is where the way ends.

        """
        shared = 0
        for mine, wanted in zip(self.names, names, strict=False):
            if mine != wanted:
                break
            shared += 1
        while len(self.names) > shared:
            self.up()
        for name in names[shared:]:
            self.down(name)
        return self.fd

    def keep_mode(self) -> None:
        """Say that the directory in which the walk is has got its mode: it is not closed again."""
        self._closed = None

    def _open(self, name: str, at: int | None, follow: int) -> tuple[int, os.stat_result, int | None]:
        handle = os.open(name, os.O_PATH | follow | _DIRECTORY, dir_fd=at)
        closed = None
        try:
            status = os.fstat(handle)
            mode = stat.S_IMODE(status.st_mode)
            # access(2) knows what the mode does not tell: the rights of root here, and none on a server.
            if self._opening and mode & 0o700 != 0o700 and not os.access(".", self._rights, dir_fd=handle):
                with suppress(OSError):  # it is another one's: what can be done in it is done
                    os.chmod(f"/proc/self/fd/{handle}", mode | 0o700)
                    closed = mode
            return os.open(".", os.O_RDONLY | _DIRECTORY, dir_fd=handle), status, closed
        finally:
            os.close(handle)

    def _close_to_owner(self) -> None:
        if self._closed is not None:
            with suppress(OSError):
                os.fchmod(self.fd, self._closed)
