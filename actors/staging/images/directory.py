"""Copies one directory of a tree: what it consists of, but not what is below it.

Files with several names are only told: which of them is copied and which are linked, whoever knows all of them decides.
"""

import errno
import os
import stat
from collections.abc import Callable

from proto.value import Value

from .descent import Descent, Names
from .exact import Copier, Notes, open_anyway

Linked = tuple[int, int, bytes]
"""A file with several names: device and inode, and the name that was found."""


class Copied(Value):
    """What was done with a directory.

    Attributes:
        below: names of the directories in it, each of which is made and empty.
        files: number of entries that were copied.
        linked: the files with several names.
        narrow: whether its mode keeps its owner from working in it; the copy's is wider so far.

    """

    below: tuple[bytes, ...]
    files: int
    linked: tuple[Linked, ...]
    narrow: bool


class DirectoryCopier:
    """Copies directories from one tree into another.

    Args:
        source: the original tree.
        target: the copy; its root is there.
        notes: told what could not be copied.
        copied: told the bytes of each piece that is copied.
        owners: whether copies keep their owners.

    """

    def __init__(self, source: str, target: str, notes: Notes, copied: Callable[[int], None], *, owners: bool) -> None:
        self._source = Descent(source)
        self._target = Descent(target)
        self._device = os.fstat(self._source.to(())).st_dev
        self._notes = notes
        self._copier = Copier(notes, copied, owners=owners)

    def copy(self, names: Names) -> Copied:
        """Copy a directory that is there and empty in the target.

        Raises:
            OSError: it could not be copied for another reason than the user's rights.

        """
        target = self._target.to(names)
        try:
            source = self._source.to(names)
        except PermissionError as error:
            self._notes.add("the contents", names[-1] if names else b"/", error)
            return Copied((), 0, (), narrow=True)
        status = os.fstat(source)
        below: list[bytes] = []
        linked: list[Linked] = []
        count = 0
        # What is mounted there is not of this tree.
        for name, is_directory, is_file in _entries(source) if status.st_dev == self._device else ():
            if is_directory:
                os.mkdir(name, 0o700, dir_fd=target)
                below.append(name)
            elif is_file:
                count += self._file(name, source, target, linked)
            else:
                self._copier.special(name, os.stat(name, dir_fd=source, follow_symlinks=False), source, target)
                count += 1
        narrow = status.st_mode & 0o700 != 0o700
        # Directories are made in it before its time is set; its mode waits if it would be in the way.
        self._copier.dress(names[-1] if names else b"/", status, source, target, 0o700)
        return Copied(tuple(below), count, tuple(linked), narrow)

    def link(self, first: tuple[Names, bytes], others: list[tuple[Names, bytes]]) -> None:
        """Copy a file with several names under its first one, and link the others to it."""
        names, name = first
        source = self._source.to(names)
        target = self._target.to(names)
        descriptor = open_anyway(name, source)
        try:
            self._copier.file(name, descriptor, os.fstat(descriptor), target)
        finally:
            os.close(descriptor)
        handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=target)
        try:
            for where, other in others:
                os.link(f"/proc/self/fd/{handle}", other, dst_dir_fd=self._target.to(where), follow_symlinks=True)
        finally:
            os.close(handle)

    def finish(self, names: Names) -> None:
        """Give a directory its own mode and time after all was done in it."""
        if names:
            status = os.stat(names[-1], dir_fd=self._source.to(names[:-1]), follow_symlinks=False)
        else:
            status = os.fstat(self._source.to(()))
        target = self._target.to(names)
        os.chmod(target, stat.S_IMODE(status.st_mode))
        os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))

    def close(self) -> None:
        """Close what is open."""
        self._source.close()
        self._target.close()

    def _file(self, name: bytes, source: int, target: int, linked: list[Linked]) -> int:
        try:
            descriptor = open_anyway(name, source)
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM}:
                raise
            self._notes.add("the contents", name, error)
            return 0
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.ESTALE, "changed while it was copied", name)
            if status.st_nlink > 1:
                linked.append((status.st_dev, status.st_ino, name))
                return 0
            self._copier.file(name, descriptor, status, target)
        finally:
            os.close(descriptor)
        return 1


def _entries(directory: int) -> list[tuple[bytes, bool, bool]]:
    """Name of each entry, and whether it is a directory or a regular file."""
    with os.scandir(directory) as found:
        return [
            (os.fsencode(each.name), each.is_dir(follow_symlinks=False), each.is_file(follow_symlinks=False))
            for each in found
        ]
