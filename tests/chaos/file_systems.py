"""Small file systems that a test fills and empties: one that can reserve room for a file, and one that cannot."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib

    from tests.conftest import Cluster

SIZE = 2 << 20
FILES = 256
KINDS = ("tmpfs", "ext2")
"""tmpfs keeps room for a file on demand (fallocate), as ext4 and xfs do; ext2 does not, as NFS before 4.2."""


class FileSystem:
    """A mounted file system of the test user's, private to him."""

    def __init__(self, kind: str, where: pathlib.Path, cluster: Cluster) -> None:
        self._where = where
        self._filler = where / ".filler"
        self._files = where / ".files"
        where.mkdir(exist_ok=True)
        if kind == "tmpfs":
            _run("mount", "-t", "tmpfs", "-o", f"size={SIZE},nr_inodes={FILES},mode=700", "tmpfs", str(where))
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

    def fill_with_files(self) -> None:
        """Take all inodes; there is room in the files that are there."""
        self._files.mkdir(exist_ok=True)
        for number in itertools.count():
            try:
                (self._files / str(number)).touch()
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                return

    def free(self) -> None:
        """Give it back."""
        self._filler.unlink(missing_ok=True)
        shutil.rmtree(self._files, ignore_errors=True)

    def abort(self) -> None:
        """Make it read-only, whoever writes, as the kernel does on an error of the disk (ext2 only)."""
        _run("mount", "-o", "remount,abort", str(self._where))

    def unmount(self) -> None:
        """Take it away, even from under a process that is still there: the leak checks name that one."""
        _run("umount", "--lazy", str(self._where))


def _run(*words: str) -> None:
    subprocess.run(words, check=True, timeout=30, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
