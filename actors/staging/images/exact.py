"""Makes one entry of a directory in another directory, exactly: contents, holes, mode, owner, times, attributes.

What a user's rights do not allow (device nodes, owners, some attributes) is left out and noted. A full disk or a broken
one is an error, for a copy that lacks files for such a reason must never be used.
"""

import errno
import fcntl
import os
import stat
from collections.abc import Callable
from typing import Any

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FICLONE = 0x40049409  # include/uapi/linux/fs.h, _IOW(0x94, 9, int)
_SMALL = 128 * 1024
"""Bytes up to which reading and writing costs less than asking the file system to copy or to share."""
_PIECE = 64 << 20
_BUFFER = 1 << 20
_BLOCK = 4096
_REFUSED = frozenset((errno.EPERM, errno.EACCES, errno.EINVAL, errno.EOPNOTSUPP, errno.EOVERFLOW, errno.ENODATA))
"""Answers to a wish that this user, or this file system, cannot have granted."""
_NO_SHARING = frozenset((errno.EXDEV, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS, errno.ENOTTY, errno.EBADF))

_NOT_COPIED = ("security.", "system.", "user.overlay.", "trusted.overlay.")


class Notes:
    """What could not be copied.

    Attributes:
        count: how many things.
        first: the first of them, in words; empty if there is none.

    """

    def __init__(self) -> None:
        self.count = 0
        self.first = ""

    def add(self, what: str, name: bytes, error: OSError) -> None:
        """Note one thing, with the system's reason."""
        self.more(1, f"{what} of {name.decode(errors='backslashreplace')}: {os.strerror(error.errno or 0)}")

    def more(self, count: int, first: str) -> None:
        """Note what another one has noted."""
        self.count += count
        self.first = self.first or first


class Copier:
    """Copies entries, one after another.

    Args:
        notes: told what could not be copied.
        copied: told the bytes of each piece that is copied.
        owners: whether copies keep their owners; otherwise all belong to the caller.

    """

    def __init__(self, notes: Notes, copied: Callable[[int], None], *, owners: bool) -> None:
        self._notes = notes
        self._copied = copied
        self._owners = owners
        self._shares = True  # until the file system says that it cannot
        self._ranges = True

    def file(self, name: bytes, source: int, status: os.stat_result, directory: int) -> None:
        """Copy a regular file.

        Args:
            name: of the copy.
            source: descriptor of the original.
            status: of the original.
            directory: descriptor of the copy's directory.

        Raises:
            OSError: it could not be copied for another reason than the user's rights.

        """
        target = os.open(name, _CREATE, 0o600, dir_fd=directory)
        try:
            self._contents(source, target, status)
            self.dress(name, status, source, target)
        finally:
            os.close(target)  # a network file system tells here that a quota is used up

    def special(self, name: bytes, status: os.stat_result, source: int, directory: int) -> None:
        """Copy a link, a pipe, a socket's name or a device node; ``source`` is the original's directory."""
        mode = status.st_mode
        try:
            if stat.S_ISLNK(mode):
                os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=directory)
            else:
                os.mknod(name, stat.S_IFMT(mode) | 0o600, status.st_rdev, dir_fd=directory)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            self._notes.add("the kind", name, error)
            return
        path = b"/proc/self/fd/%d/%b"
        self.dress(name, status, path % (source, name), path % (directory, name))

    def dress(
        self, name: bytes, status: os.stat_result, source: int | bytes, target: int | bytes, more: int = 0
    ) -> None:
        """Give a copy the owner, mode, extended attributes and times of its original.

        Args:
            name: for what is noted.
            status: of the original.
            source: the original: a descriptor, or the path of what cannot be opened, such as a link.
            target: the copy in the same way.
            more: bits of the mode that the copy gets in addition.

        """
        itself: dict[str, Any] = {} if isinstance(target, int) else {"follow_symlinks": False}
        # The owner first, since that takes away setuid and capabilities; attributes before a mode that forbids to
        # write them; but an ACL after the mode, which would change it.
        if self._owners:
            self._wish("the owner", name, os.chown, target, status.st_uid, status.st_gid, **itself)
        attributes = os.listxattr(source, **itself)
        for each in attributes:
            # What a security module notes of the original (its label) is not the image's, nor what an overlay notes of
            # its layers (``marks`` has what counts of that); capabilities are.
            if not each.startswith(_NOT_COPIED) or each == "security.capability":
                self._wish(f"the attribute {each}", name, _give, each, source, target, itself)
        if not stat.S_ISLNK(status.st_mode):
            self._wish("the mode", name, os.chmod, target, stat.S_IMODE(status.st_mode) | more)
        for each in attributes:
            if each.startswith("system.posix_acl"):
                self._wish(f"the attribute {each}", name, _give, each, source, target, itself)
        self._wish("the times", name, os.utime, target, ns=(status.st_atime_ns, status.st_mtime_ns), **itself)

    def _wish(self, what: str, name: bytes, call: Callable[..., None], *words: Any, **named: Any) -> None:
        try:
            call(*words, **named)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
            self._notes.add(what, name, error)

    def _contents(self, source: int, target: int, status: os.stat_result) -> None:
        size = status.st_size
        if size > _SMALL and self._share(source, target):
            self._copied(size)
        elif size > _BLOCK and status.st_blocks * 512 < size:
            at = 0
            while (begin := _data(source, at)) >= 0:
                at = os.lseek(source, begin, os.SEEK_HOLE)
                self._range(source, target, begin, at - begin)
            os.truncate(target, size)
        elif size:
            self._range(source, target, 0, size)

    def _range(self, source: int, target: int, begin: int, length: int) -> None:
        end = begin + length
        while self._ranges and length > _SMALL and begin < end:
            try:
                count = os.copy_file_range(source, target, min(_PIECE, end - begin), begin, begin)
            except OSError as error:
                if error.errno not in _NO_SHARING:
                    raise
                self._ranges = False
                break
            if not count:
                break  # some file systems do so in place of an error; reading tells whether it is the end
            begin += count
            self._copied(count)
        os.lseek(target, begin, os.SEEK_SET)
        while begin < end and (data := os.pread(source, min(_BUFFER, end - begin), begin)):
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(target, rest) :]
            begin += len(data)
            self._copied(len(data))

    def _share(self, source: int, target: int) -> bool:
        if self._shares:
            try:
                fcntl.ioctl(target, _FICLONE, source)
            except OSError as error:
                if error.errno not in _NO_SHARING:
                    raise
                self._shares = False
        return self._shares


def open_anyway(name: bytes, directory: int) -> int:
    """Open a file to read it, also where its owner, who is the caller, may not.

    A program's file of mode 0 is one on file systems whose server judges; its mode is given back at once.

    Raises:
        OSError: it cannot be opened.

    """
    try:
        return os.open(name, _READ, dir_fd=directory)
    except PermissionError:
        status = os.stat(name, dir_fd=directory, follow_symlinks=False)
        if status.st_uid != os.geteuid() or not stat.S_ISREG(status.st_mode):
            raise
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=directory)
    path = f"/proc/self/fd/{handle}"
    try:
        os.chmod(path, stat.S_IMODE(status.st_mode) | 0o400)
        try:
            return os.open(path, _READ & ~os.O_NOFOLLOW)
        finally:
            os.chmod(path, stat.S_IMODE(status.st_mode))
    finally:
        os.close(handle)


def _data(source: int, at: int) -> int:
    """Where the next data begin; -1 if there are none."""
    try:
        return os.lseek(source, at, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return -1


def _give(each: str, source: int | bytes, target: int | bytes, itself: dict[str, Any]) -> None:
    os.setxattr(target, each, os.getxattr(source, each, **itself), **itself)
