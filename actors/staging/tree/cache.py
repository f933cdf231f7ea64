"""Keeps copies of root file systems, so that the second container of an image need not copy it again.

An entry is ``CACHE/KEY/tree``; the key is a hash of what the tree contains. An entry is made under another name
and renamed, so one that exists is complete. It is used in two ways: read-only containers run in it, and where the
file system can share blocks the others get a copy of it that costs nothing.

An entry in use must not be thrown away, so each user leaves a file that names the key in its own staging
directory before it looks for the entry, under the lock that throwing away takes, too.
"""

import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from actors.staging.bundle import open_to, write_file
from proto.errors import StagingError

from .copy import remove_tree

KEY_FILE = "cache-key"
MAXIMUM_AGE = 14 * 86400.0
MAXIMUM_SIZE = 40 * 2**30
STALE = 86400.0  # seconds after which a half made entry counts as forgotten
_SKIPPED = frozenset((b"proc", b"sys", b"dev"))


def tree_key(root: str, kind: str) -> tuple[str, int]:
    """Return the key of a tree, copied in one ``kind`` of way, and how many bytes its files have.

    Times of directories, links and empty files are left out: engines make such things anew for each container.
    """
    digest = hashlib.sha256(f"scrun tree 1 {kind}\0".encode())
    size = 0
    for line, length in _manifest(os.fsencode(root), b""):
        digest.update(line)
        size += length
    return digest.hexdigest(), size


def _manifest(root: bytes, here: bytes) -> Iterator[tuple[bytes, int]]:
    directory = os.path.join(root, here)
    try:
        entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
    except PermissionError:
        yield here + b"\0unreadable\n", 0
        return
    for entry in entries:
        path = os.path.join(here, entry.name)
        status = entry.stat(follow_symlinks=False)
        mode = status.st_mode
        words = b"%o %d %d" % (mode, status.st_uid, status.st_gid)
        length = 0
        if stat.S_ISLNK(mode):
            words += b" " + os.readlink(entry.path)
        elif stat.S_ISREG(mode) and status.st_size:
            words += b" %d %d" % (status.st_size, status.st_mtime_ns)
            length = status.st_size
        elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            words += b" %d" % status.st_rdev
        yield path + b"\0" + words + b"\n", length
        if stat.S_ISDIR(mode) and path not in _SKIPPED:
            yield from _manifest(root, path)


class TreeCache:
    """The cache of one staging directory.

    Args:
        staging: the staging directory; the cache is in it, and beside it those who use the entries.
        mode: of the directories on the way to the tree.
        clock: seconds since the epoch.
        maximum_age: seconds after which an entry that no container has used is thrown away.
        maximum_size: bytes; the entries that were not used for longest are thrown away above it.

    """

    def __init__(
        self,
        staging: str,
        mode: int = 0o700,
        clock: Callable[[], float] = time.time,
        maximum_age: float = MAXIMUM_AGE,
        maximum_size: int = MAXIMUM_SIZE,
    ) -> None:
        self._staging = staging
        self._directory = os.path.join(staging, "cache")
        self._mode = mode
        self._clock = clock
        self._maximum_age = maximum_age
        self._maximum_size = maximum_size
        os.makedirs(self._directory, 0o700, exist_ok=True)
        open_to(self._directory, mode)

    def use(self, user: str, key: str, size: int, make: Callable[[str], object]) -> str:
        """Return the path of the entry's tree, which stays there until ``user`` is removed.

        Args:
            user: the user's own directory in the staging directory.
            key: see ``tree_key``.
            size: bytes of the tree, for the bound.
            make: makes the tree at the path it is given.

        """
        with self._lock("lock"):
            write_file(os.path.join(user, KEY_FILE), key.encode(), 0o600)
            doomed = self._throw_away(key, size)
        for path in doomed:
            try:
                remove_tree(path)
            except StagingError:
                continue  # the stager of another container removes it, too
        entry = os.path.join(self._directory, key)
        with self._lock(f"{key}.lock"):
            if not os.path.isdir(entry):
                self._make(entry, size, make)
            now = self._clock()
            os.utime(entry, (now, now))
            open_to(entry, self._mode)
        return os.path.join(entry, "tree")

    def _make(self, entry: str, size: int, make: Callable[[str], object]) -> None:
        # A name of its own: the cp of a maker that was killed may still be writing.
        new = f"{entry}.{os.urandom(4).hex()}.new"
        os.mkdir(new, 0o700)
        make(os.path.join(new, "tree"))
        with open(os.path.join(new, "size"), "w", encoding="ascii") as file:
            file.write(str(size))
        os.rename(new, entry)

    def _throw_away(self, key: str, wanted: int) -> list[str]:
        """Move what has to go, to make room for an entry, out of the way; return where it is."""
        in_use = self._in_use()
        now = self._clock()
        entries: list[tuple[float, int, str]] = []
        doomed: list[str] = []
        for name in os.listdir(self._directory):
            path = os.path.join(self._directory, name)
            try:
                used = os.stat(path).st_mtime
                if name.endswith(".old") or (name.endswith(".new") and used < now - STALE):
                    doomed.append(path)
                elif "." not in name and name != "lock":
                    entries.append((used, _size(path), name))
            except FileNotFoundError:
                continue  # another maker has just given it its final name
        total = sum(size for _, size, _ in entries)
        if not os.path.isdir(os.path.join(self._directory, key)):
            total += wanted
        for used, size, name in sorted(entries):
            if name in in_use:
                continue
            if now - used > self._maximum_age or total > self._maximum_size:
                path = os.path.join(self._directory, name)
                os.rename(path, f"{path}.old")
                doomed.append(f"{path}.old")
                total -= size
        return doomed

    def _in_use(self) -> set[str]:
        found = set()
        for name in os.listdir(self._staging):
            try:
                with open(os.path.join(self._staging, name, KEY_FILE), encoding="ascii") as file:
                    found.add(file.read())
            except OSError:
                continue
        return found

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        # Never removed: a process that waits for the old file would not see the lock of the new one.
        fd = os.open(os.path.join(self._directory, name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def _size(entry: str) -> int:
    try:
        with open(os.path.join(entry, "size"), encoding="ascii") as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0
