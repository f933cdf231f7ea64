"""Trees of images that all users of a site share: ``[staging] images`` in scrun.toml.

An administrator fills a store, and nobody else may write into it. An entry that was taken back (``retired``) is found
no more, and stays for the containers that have it until it is pruned: nobody knows them all.
"""

import os
import stat
import time
from collections.abc import Callable, Iterable

from actors.staging.files import write_file
from actors.staging.tree.copy import remove_tree
from proto.errors import StagingError, reason
from proto.value import Value

from . import locks
from .entry import TREE, Record, is_key, read_record, write_record

_RETIRED = "retired"
_NEW = ".new"

Make = Callable[[str, int], Record]


class Stored(Value):
    """An entry of a store.

    Attributes:
        key: which root file system it is.
        path: of the entry.
        record: what is known of its tree.
        retired: seconds since the epoch at which it was taken back; 0 if it was not.

    """

    key: str
    path: str
    record: Record
    retired: float


def find(stores: Iterable[str], keys: Iterable[str]) -> str:
    """The path of the first tree that a trustworthy store has under one of the keys, or nothing."""
    wanted = [key for key in keys if key]
    for store in stores:
        for key in wanted:
            entry = os.path.join(store, key)
            tree = os.path.join(entry, TREE)
            there = os.path.isdir(tree) and not os.path.exists(os.path.join(entry, _RETIRED))
            if there and not any(distrust(path) for path in (store, entry)):
                return os.path.realpath(tree)
    return ""


def distrust(path: str) -> str:
    """Why a directory of a store is not used: one sentence, or nothing.

    What is in it is run as the user's own programs, so it must belong to root or to the user, and nobody else may put
    anything there. In a rootless engine's user namespace root is one of those who have no id, and so are all others:
    there such an owner is taken for root, and ``scrun image list`` looks from outside.
    """
    try:
        status = os.lstat(path)
    except OSError as error:
        return f"the store {path} cannot be used: {reason(error)}"
    if not stat.S_ISDIR(status.st_mode):
        return f"the store {path} is no directory"
    if status.st_uid not in {0, os.geteuid()} and not _may_be_root(status.st_uid):
        return f"the store {path} belongs to another user"
    if status.st_mode & 0o022:
        return f"others may write into the store {path}; take that right away (chmod go-w)"
    return ""


class Store:
    """One store, as its administrator sees it.

    Args:
        path: of its directory.
        clock: seconds since the epoch.

    """

    def __init__(self, path: str, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._clock = clock

    def open(self) -> None:
        """Make its directory if it is not there.

        Raises:
            StagingError: it cannot be made, or cannot be trusted.

        """
        try:
            os.makedirs(self._path, 0o755, exist_ok=True)
        except OSError as error:
            raise StagingError(f"the store {self._path} cannot be made: {reason(error)}") from None
        if sentence := distrust(self._path):
            raise StagingError(sentence)

    def put(self, key: str, make: Make, *, private: bool) -> Stored:
        """Make an entry, unless it is there; one that was taken back is found again.

        Args:
            key: which root file system it is.
            make: see ``cache.Make``.
            private: whether nobody but its owner may reach it.

        Raises:
            StagingError: it could not be made.

        """
        entry = os.path.join(self._path, key)
        with locks.locked(f"{entry}{locks.END}") as lock:
            if os.path.isdir(entry):
                if os.path.exists(os.path.join(entry, _RETIRED)):
                    os.unlink(os.path.join(entry, _RETIRED))
                return self._stored(key)
            self._forget(key)
            new = f"{entry}.{os.urandom(4).hex()}{_NEW}"
            os.mkdir(new, 0o700)
            try:
                write_record(new, make(os.path.join(new, TREE), lock))
                os.chmod(new, 0o700 if private else 0o755)
                os.rename(new, entry)
            finally:
                remove_tree(new)
        return self._stored(key)

    def entries(self) -> list[Stored]:
        """All of its entries, the newest first.

        Raises:
            StagingError: it cannot be read.

        """
        try:
            keys = [name for name in os.listdir(self._path) if is_key(name)]
        except OSError as error:
            raise StagingError(f"the store {self._path} cannot be read: {reason(error)}") from None
        return sorted(map(self._stored, keys), key=lambda each: -each.record.made)

    def retire(self, key: str) -> None:
        """Take an entry back: no new container gets it."""
        write_file(os.path.join(self._path, key, _RETIRED), b"", 0o644)

    def remove(self, key: str) -> None:
        """Remove an entry at once, whoever uses it."""
        entry = os.path.join(self._path, key)
        with locks.locked(f"{entry}{locks.END}"):
            gone = f"{entry}.{os.urandom(4).hex()}{_NEW}"
            os.rename(entry, gone)
            remove_tree(gone)

    def prune(self, age: float) -> list[Stored]:
        """Remove what was taken back so many seconds ago, and what pushes that were killed have left."""
        for name in os.listdir(self._path):
            if name.endswith((_NEW, locks.END)):
                key = name.partition(".")[0]
                with locks.locked_if_free(os.path.join(self._path, f"{key}{locks.END}")) as held:
                    if held:
                        self._forget(key)
        gone = [each for each in self.entries() if each.retired and self._clock() - each.retired >= age]
        for each in gone:
            self.remove(each.key)
        return gone

    def _stored(self, key: str) -> Stored:
        path = os.path.join(self._path, key)
        try:
            retired = os.stat(os.path.join(path, _RETIRED)).st_mtime
        except OSError:
            retired = 0.0
        return Stored(key, path, read_record(path), retired)

    def _forget(self, key: str) -> None:
        for name in os.listdir(self._path):
            if name.startswith(f"{key}.") and name.endswith(_NEW):
                remove_tree(os.path.join(self._path, name))


def _may_be_root(uid: int) -> bool:
    """Whether this is the owner of files of all those who have no id here, and root of the host is one of them."""
    with open("/proc/self/uid_map", encoding="ascii") as file:
        has_root = any(int(line.split()[1]) == 0 for line in file)
    with open("/proc/sys/kernel/overflowuid", encoding="ascii") as file:
        return not has_root and uid == int(file.read())
