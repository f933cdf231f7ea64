"""Remembers the hash of a file's contents by what its inode says, so that a tree is read once and then only looked at.

Nobody but whoever sets the clock can set an inode's ctime, and every change of a file changes it. A file that was
changed within the same tick of the clock as it was read could still have the same one, so what is younger than some
seconds is not remembered.

The memory is one file of records, 48 bytes each: 16 of a hash of what the inode says, 32 of the contents' hash.
"""

import hashlib
import os
import time
from collections.abc import Callable

SETTLED = 10.0
"""Seconds after which a file counts as written: ticks of 10 ms, FAT's of 2 s, and some for a server's other clock."""
LIMIT = 400_000
"""Files that are remembered: 19 MB."""
_MAGIC = b"scrun contents 1"
_NAME = 16
_RECORD = _NAME + 32


class ContentMemory:
    """The memory of one user.

    Args:
        path: of its file, in a directory that nobody else may write; empty for none.
        clock: seconds since the epoch.
        limit: how many files are remembered.

    """

    def __init__(self, path: str, clock: Callable[[], float] = time.time, limit: int = LIMIT) -> None:
        self._path = path
        self._clock = clock
        self._limit = limit
        self._old: dict[bytes, bytes] | None = None
        self._now: dict[bytes, bytes] = {}
        self._learnt = False

    def recall(self, scope: str, status: os.stat_result) -> bytes | None:
        """The hash of a file's contents, if it is known and the file was not touched since.

        Args:
            scope: name of the file system; empty if its inodes tell nothing.
            status: of the file.

        """
        if not scope:
            return None
        name = _name(scope, status)
        known = self._now.get(name) or self._known().get(name)
        if known is not None:
            self._now[name] = known
        return known

    def learn(self, scope: str, status: os.stat_result, digest: bytes) -> None:
        """Note the hash of a file whose status was the same before and after it was read."""
        if scope and status.st_ctime < self._clock() - SETTLED:
            self._now[_name(scope, status)] = digest
            self._learnt = True

    def save(self) -> None:
        """Write it down; what was not asked for this time goes first where there is too much."""
        if not self._learnt or not self._path:
            return
        kept = dict(list(self._now.items())[: self._limit])
        for name, digest in self._known().items():
            if len(kept) >= self._limit:
                break
            kept.setdefault(name, digest)
        new = f"{self._path}.{os.urandom(4).hex()}.new"
        try:
            with open(new, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(_MAGIC + b"".join(name + digest for name, digest in kept.items()))
            os.replace(new, self._path)
        except OSError:
            # A full disk: the next one reads the files again, as it would without a memory.
            if os.path.lexists(new):
                os.unlink(new)

    def _known(self) -> dict[bytes, bytes]:
        if self._old is None:
            self._old = _load(self._path, self._limit)
        return self._old


def _name(scope: str, status: os.stat_result) -> bytes:
    words = (scope, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return hashlib.blake2b(repr(words).encode("utf-8", "surrogateescape"), digest_size=_NAME).digest()


def _load(path: str, limit: int) -> dict[bytes, bytes]:
    try:
        with open(path, "rb") as file:
            data = file.read(len(_MAGIC) + limit * _RECORD)
    except OSError:
        return {}
    if not data.startswith(_MAGIC):
        return {}
    starts = range(len(_MAGIC), len(data) - _RECORD + 1, _RECORD)
    return {data[at : at + _NAME]: data[at + _NAME : at + _RECORD] for at in starts}
