"""Puts one entry there, whole or not at all: made on a workbench at the top of the tree, then renamed to its place."""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from proto.value import Value

from .attributes import Attributes, set_attributes
from .removal import remove
from .spared import Spared

_PREFIX = ".scrun-sync-"
_NO_LINK = frozenset((errno.EPERM, errno.EMLINK, errno.EXDEV, errno.EOPNOTSUPP, errno.EACCES))

Identity = tuple[int, int]
"""Device and inode number."""


class Entry(Value):
    """Anything but a directory.

    Attributes:
        attributes: its kind, and what it has beside its contents.
        link: where a symbolic link leads.
        device: of a device node.
        fill: writes the contents of a regular file into an empty one, by its descriptor.

    """

    attributes: Attributes
    link: str = ""
    device: int = 0
    fill: Callable[[int], None] = lambda _: None


class Workbench:
    """A directory of ours at the top of a tree, made when it is needed; what a killed predecessor left there goes.

    Args:
        top: descriptor of the top.

    Attributes:
        name: the directory's name in the top.

    """

    def __init__(self, top: int) -> None:
        self._top = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=top)  # a walk's own moves on
        self._fd = -1
        self.name = _PREFIX + os.urandom(8).hex()
        for name in os.listdir(top):
            if name.startswith(_PREFIX):
                with suppress(OSError):
                    remove(top, name, name, Spared(()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the workbench away, the last thing before the top gets its own time back."""
        if self._fd >= 0:
            os.close(self._fd)
            with suppress(OSError):
                os.rmdir(self.name, dir_fd=self._top)
        os.close(self._top)

    def put(self, at: int, name: str, entry: Entry) -> tuple[Identity, list[str]]:
        """Put an entry in the place of whatever has its name, which may be no directory.

        Returns:
            Which inode it is, and what of its attributes was refused.

        Raises:
            OSError: it could not be made; what had the name still has it.

        """
        refused: list[str] = []

        def make(bench: int, new: str) -> None:
            _make(bench, new, entry)
            refused[:] = set_attributes(bench, new, entry.attributes)[1]

        self._place(at, name, make)
        status = os.stat(name, dir_fd=at, follow_symlinks=False)
        return (status.st_dev, status.st_ino), refused

    def link(self, first_at: int, first: str, identity: Identity, at: int, name: str) -> bool:
        """Give an entry a second name.

        Args:
            first_at: descriptor of the directory in which it has its first name.
            first: that name.
            identity: which inode it must be.
            at: descriptor of the directory of the second name.
            name: that name; it must not be one of the same inode yet.

        Returns:
            Whether it has the name; not, if this file system makes no such link.

        """
        status = os.stat(first, dir_fd=first_at, follow_symlinks=False)
        if (status.st_dev, status.st_ino) != identity:
            return False

        def make(bench: int, new: str) -> None:
            os.link(first, new, src_dir_fd=first_at, dst_dir_fd=bench, follow_symlinks=False)

        try:
            self._place(at, name, make)
        except OSError as error:
            if error.errno not in _NO_LINK:
                raise
            return False
        return True

    def _place(self, at: int, name: str, make: Callable[[int, str], None]) -> None:
        if self._fd < 0:
            os.mkdir(self.name, 0o700, dir_fd=self._top)
            self._fd = os.open(self.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self._top)
        new = _PREFIX + os.urandom(8).hex()
        for bench in (self._fd, at):
            try:
                make(bench, new)
                os.rename(new, name, src_dir_fd=bench, dst_dir_fd=at)
            except OSError as error:
                with suppress(OSError):
                    os.unlink(new, dir_fd=bench)
                if error.errno == errno.EXDEV and bench is self._fd:
                    continue  # a mount, or another quota's directory: only a neighbour can be renamed there
                raise
            return


def _make(at: int, name: str, entry: Entry) -> None:
    mode = entry.attributes.mode
    if stat.S_ISREG(mode):
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=at)
        try:
            entry.fill(fd)
        finally:
            os.close(fd)
    elif stat.S_ISLNK(mode):
        os.symlink(entry.link, name, dir_fd=at)
    else:
        os.mknod(name, stat.S_IFMT(mode) | 0o600, entry.device, dir_fd=at)
