"""Keeps the trees of images in the staging directory, so that the second container of an image need not copy it again.

An entry in use must not be thrown away, so each user leaves a file that names the key in its own staging directory
before it looks for the entry, under the lock that throwing away takes, too.

A tree is complete when its entry has its name, and nothing is written into it or changes a mode there after that.
"""

import os
import time
from collections.abc import Callable, Mapping

from actors.staging.files import open_to, write_file
from actors.staging.tree.copy import remove_tree
from proto.errors import StagingError
from proto.life.events import Trees
from proto.value import Value, replace

from . import locks
from .entry import TREE, Record, is_complete, is_key, read_record, write_record
from .importing import NoRoomError

KEY_FILE = "cache-key"
STAMP = ".pruned"
PRUNE_INTERVAL = 600.0
"""Seconds after which what is too old is looked for again."""
_NEW = ".new"
_OLD = ".old"
_ATTEMPTS = 100

Make = Callable[[str, int], Record]
"""Makes a tree at a path; the descriptor is of a lock, for whoever writes there and may live longer than the caller."""


class Entry(Value):
    """A complete entry.

    Attributes:
        key: of its tree.
        path: of the entry.
        record: what is known of the tree.
        used: seconds since the epoch at which a container began to use it last.
        in_use: whether a container uses it.

    """

    key: str
    path: str
    record: Record
    used: float
    in_use: bool


class TreeCache:
    """The cache of one staging directory.

    Args:
        staging: the staging directory; the cache is in it, and beside it those who use the entries.
        mode: of the directories on the way to the tree.
        clock: seconds since the epoch.
        maximum_age: seconds after which an entry that no container has used is thrown away.
        maximum_size: bytes; the entries that were not used for longest are thrown away above it.

    Attributes:
        trees: how those that were used got there.

    """

    def __init__(
        self,
        staging: str,
        mode: int = 0o700,
        clock: Callable[[], float] = time.time,
        maximum_age: float = 14 * 86400.0,
        maximum_size: int = 40 << 30,
    ) -> None:
        self._staging = staging
        self._directory = directory_of(staging)
        self._mode = mode
        self._clock = clock
        self._maximum_age = maximum_age
        self._maximum_size = maximum_size
        self.trees = Trees()
        os.makedirs(self._directory, 0o700, exist_ok=True)
        open_to(self._directory, mode)

    def use(self, user: str, key: str, make: Make) -> str:
        """Return the path of one entry's tree; see ``use_all``."""
        return self.use_all(user, {key: make})[0]

    def use_all(self, user: str, makers: Mapping[str, Make]) -> list[str]:
        """Return the paths of the entries' trees, which stay there until ``user`` is removed.

        Args:
            user: the user's own directory in the staging directory.
            makers: key (see ``identity``) to what makes the tree, if it is not there.

        Raises:
            StagingError: one could not be made.

        """
        with locks.locked(self._file("lock")):
            write_file(os.path.join(user, KEY_FILE), "\n".join(makers).encode(), 0o600)
            # All records are read for that: not by each of a thousand containers.
            due = self._is_due() or not all(is_complete(self._file(key)) for key in makers)
            doomed = self._throw_away(self._maximum_age, self._maximum_size) if due else []
        _remove(doomed)
        return [self._use(key, make) for key, make in makers.items()]

    def _use(self, key: str, make: Make) -> str:
        entry = self._file(key)
        with locks.locked(self._lock_of(key)) as lock:
            made = not is_complete(entry)
            if made:
                self._make(key, make, lock)
            self._count(entry, made=made)
            now = self._clock()
            os.utime(entry, (now, now))
            open_to(entry, self._mode)
        if made:
            self.prune()  # only now it is known how much room it takes
        return os.path.join(entry, TREE)

    def _count(self, entry: str, *, made: bool) -> None:
        trees = self.trees
        if made:
            size = read_record(entry).size
            self.trees = Trees(trees.found, trees.imported + 1, trees.size + size)
        else:
            self.trees = replace(trees, found=trees.found + 1)

    def prune(self, *, all_unused: bool = False) -> list[Entry]:
        """Throw away what is too old or too much, or all that no container uses; return what it was."""
        before = {entry.key: entry for entry in self.entries()}
        with locks.locked(self._file("lock")):
            doomed = self._throw_away(0, 0) if all_unused else self._throw_away(self._maximum_age, self._maximum_size)
        _remove(doomed)
        return [entry for key, entry in before.items() if not os.path.isdir(self._file(key))]

    def remove(self, key: str) -> bool:
        """Throw one entry away unless a container uses it; whether it is gone."""
        with locks.locked(self._file("lock")):
            if key in self._in_use():
                return False
            doomed = [self._doom(key)]
        _remove(doomed)
        return True

    def entries(self) -> list[Entry]:
        """All complete entries, the one that was used last first."""
        used_now = self._in_use()
        found = []
        for key in filter(is_key, os.listdir(self._directory)):
            path = self._file(key)
            try:
                found.append(Entry(key, path, read_record(path), os.stat(path).st_mtime, key in used_now))
            except FileNotFoundError:
                continue  # thrown away meanwhile
        return sorted(found, key=lambda entry: -entry.used)

    def left(self) -> list[str]:
        """What was thrown away and could not be removed by this process."""
        return [self._file(name) for name in os.listdir(self._directory) if name.endswith(_OLD)]

    def _file(self, name: str) -> str:
        return os.path.join(self._directory, name)

    def _is_due(self) -> bool:
        """Whether it is time again to look for what is too old; asked under the lock."""
        stamp, now = os.path.join(self._staging, STAMP), self._clock()
        try:
            if 0 <= now - os.stat(stamp).st_mtime < PRUNE_INTERVAL:
                return False
        except FileNotFoundError:
            os.close(os.open(stamp, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        os.utime(stamp, (now, now))
        return True

    def _lock_of(self, key: str) -> str:
        return self._file(f"{key}{locks.END}")

    def _make(self, key: str, make: Make, lock: int) -> None:
        """Make an entry, under its lock: so nobody is writing any more into what an earlier maker has left."""
        _remove([*self._left_of(key), self._doom(key)])
        new = self._file(f"{key}.{os.urandom(4).hex()}{_NEW}")
        tree = os.path.join(new, TREE)
        os.mkdir(new, 0o700)
        try:
            try:
                record = make(tree, lock)
            except NoRoomError:
                if not self.prune(all_unused=True):
                    raise
                _remove([tree])
                record = make(tree, lock)
            # Who removes it by hand gets through; an overlay shows the mode of its own topmost directory.
            open_to(tree, 0o700)
            write_record(new, record)
            os.rename(new, self._file(key))
        finally:
            _remove([new])

    def _left_of(self, key: str) -> list[str]:
        names = os.listdir(self._directory)
        return [self._file(name) for name in names if name.startswith(f"{key}.") and name.endswith(_NEW)]

    def _throw_away(self, maximum_age: float, maximum_size: int) -> list[str]:
        """Move what has to go out of the way; return where it is."""
        doomed = [*self.left(), *self._forgotten()]
        now = self._clock()
        entries = self.entries()
        total = sum(entry.record.size for entry in entries)
        for entry in reversed(entries):
            if not entry.in_use and (now - entry.used > maximum_age or total > maximum_size):
                doomed.append(self._doom(entry.key))
                total -= entry.record.size
        return doomed

    def _doom(self, key: str) -> str:
        path = self._file(f"{key}.{os.urandom(4).hex()}{_OLD}")
        try:
            os.rename(self._file(key), path)
        except FileNotFoundError:
            pass
        return path

    def _forgotten(self) -> list[str]:
        """What makers that were killed have left, half made entries and locks: nobody holds the lock any more."""
        found = []
        names = os.listdir(self._directory)
        keys = {name.partition(".")[0] for name in names if name.endswith((_NEW, locks.END))}
        for key in keys:
            with locks.locked_if_free(self._lock_of(key)) as held:
                # It is moved out of the way under the lock, before the next maker of this entry begins.
                for path in self._left_of(key) if held else ():
                    os.rename(path, f"{path}{_OLD}")
                    found.append(f"{path}{_OLD}")
        return found

    def _in_use(self) -> set[str]:
        """The keys that users have named; a user whose directory gets another name meanwhile is looked for again."""
        for _ in range(_ATTEMPTS):
            found: set[str] = set()
            names = os.listdir(self._staging)
            if all(_read_keys(os.path.join(self._staging, name), found) for name in names):
                break
        return found


def directory_of(staging: str) -> str:
    """The directory of the cache in a staging directory."""
    return os.path.join(staging, "cache")


def _read_keys(user: str, found: set[str]) -> bool:
    """Add the keys that a user has named; whether the user is still there under this name."""
    try:
        with open(os.path.join(user, KEY_FILE), encoding="ascii") as file:
            found.update(file.read().split())
    except (FileNotFoundError, NotADirectoryError):
        return os.path.lexists(user)
    except (OSError, ValueError):
        return True
    return True


def _remove(paths: list[str]) -> None:
    for path in paths:
        try:
            remove_tree(path)
        except StagingError:
            continue  # another one removes it, too
