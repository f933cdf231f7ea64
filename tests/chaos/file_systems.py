"""Small file systems that a test fills and empties: one that can reserve room for a file, and one that cannot."""

from __future__ import annotations

import errno
import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib

    from tests.conftest import Cluster

SIZE = 2 << 20
KINDS = ("tmpfs", "ext2")
"""tmpfs keeps room for a file on demand (fallocate), as ext4 and xfs do; ext2 does not, as NFS before 4.2."""


class FileSystem:
    """A mounted file system of the test user's, private to him."""

    def __init__(self, kind: str, where: pathlib.Path, cluster: Cluster) -> None:
        self._where = where
        self._filler = where / ".filler"
        where.mkdir(exist_ok=True)
        if kind == "tmpfs":
            _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=700", "tmpfs", str(where))
        else:
            image = where.with_name(f"{where.name}.image")
            with image.open("wb") as file:
                file.truncate(SIZE)
            _run("mkfs.ext2", "-q", "-m", "0", "-F", str(image))
            _run("mount", "-o", "loop", str(image), str(where))
            (where / "lost+found").rmdir()
            where.chmod(0o700)
        os.chown(where, cluster.uid, -1)

    def fill(self) -> None:
        """Take all that is left, to the last byte."""
        fd = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            size = 1 << 16
            while size:
                try:
                    os.write(fd, bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    size //= 2
        finally:
            os.close(fd)

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away, even from under a process that is still there: the leak checks name that one."""
        _run("umount", "--lazy", str(self._where))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=30, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
