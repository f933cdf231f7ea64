"""Brings the changes of a copied root file system back to the original.

Doing it twice, or again after having been killed in the middle, gives the same result.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from functools import partial

from proto.errors import reason

NEVER = frozenset(("proc", "sys", "dev"))
_SECOND = 1_000_000_000


class MirrorCount:
    """What was done, for the log, and what could not be done.

    Attributes:
        copied, changed, removed: numbers of files.
        failed: how many files could not be brought back.
        failure: the first of them, with the reason; empty if there is none.

    """

    def __init__(self) -> None:
        self.copied = 0
        self.changed = 0
        self.removed = 0
        self.failed = 0
        self.failure = ""


def mirror(copy: str, original: str, excluded: AbstractSet[str]) -> MirrorCount:
    """Make the original like the copy; a file that cannot be brought back keeps none of the others from it.

    Args:
        copy: the tree that the container has used.
        original: the tree that it was copied from.
        excluded: paths relative to the trees that are neither copied nor removed: mount points, and what was not
            in the copy from the beginning.

    Raises:
        OSError: one of the trees cannot be read at all.

    """
    return _Mirror(copy, original, NEVER | excluded).run()


def missing_paths(original: str, copy: str) -> list[str]:
    """Paths, relative to the trees, that are in the original and not in its copy; not what is below them."""
    found: list[str] = []
    todo = [""]
    while todo:
        here = todo.pop()
        try:
            ours = set(os.listdir(os.path.join(copy, here)))
            entries = list(os.scandir(os.path.join(original, here)))
        except PermissionError:
            found.append(here)  # unreadable: all of it
            continue
        for entry in entries:
            path = os.path.join(here, entry.name)
            if entry.name not in ours:
                found.append(path)
            elif entry.is_dir(follow_symlinks=False):
                todo.append(path)
    return found


class _Mirror:
    def __init__(self, copy: str, original: str, excluded: AbstractSet[str]) -> None:
        self._copy = copy
        self._original = original
        self._excluded = excluded
        self._count = MirrorCount()
        self._root = os.geteuid() == 0
        self._touched: set[str] = set()

    def run(self) -> MirrorCount:
        self._directory("")
        return self._count

    def _directory(self, here: str) -> None:
        source = os.path.join(self._copy, here)
        target = os.path.join(self._original, here)
        with _open_to_its_owner(source, 0o500):
            ours = set(os.listdir(source))
            for entry in list(os.scandir(target)):
                path = os.path.join(here, entry.name)
                if entry.name not in ours and path not in self._excluded:
                    self._try(path, partial(self._remove, entry.path, path))
            for name in sorted(ours):
                path = os.path.join(here, name)
                if path not in self._excluded:
                    self._try(path, partial(self._entry, path))
        new, old = os.lstat(source), os.lstat(target)
        if here in self._touched and (new.st_mode, new.st_uid, new.st_gid) == (old.st_mode, old.st_uid, old.st_gid):
            return  # its time is that of the mount point
        self._attributes(source, target, new, old)

    def _try(self, path: str, bring: Callable[[], None]) -> None:
        try:
            bring()
        except OSError as error:
            self._count.failed += 1
            self._count.failure = self._count.failure or f"{path}: {reason(error)}"

    def _entry(self, path: str) -> None:
        source = os.path.join(self._copy, path)
        target = os.path.join(self._original, path)
        new = os.lstat(source)
        try:
            old: os.stat_result | None = os.lstat(target)
        except FileNotFoundError:
            old = None
        if old is not None and stat.S_IFMT(old.st_mode) != stat.S_IFMT(new.st_mode):
            self._remove(target, path)
            old = None
        if stat.S_ISDIR(new.st_mode):
            if old is None:
                if self._leads_to_mount_points_only(path):
                    self._touched.add(os.path.dirname(path))
                    return
                os.mkdir(target, 0o700)
                self._count.copied += 1
            self._directory(path)
        elif old is None or not self._same_content(source, target, new, old):
            self._replace(source, target, new)
        else:
            self._attributes(source, target, new, old)

    def _leads_to_mount_points_only(self, path: str) -> bool:
        """Whether a new directory was made by the node's runtime, on the way to a mount point, and has nothing else."""
        source = os.path.join(self._copy, path)
        with _open_to_its_owner(source, 0o500), os.scandir(source) as entries:
            below = [(f"{path}/{entry.name}", entry.is_dir(follow_symlinks=False)) for entry in entries]
        return bool(below) and all(
            inner in self._excluded or (directory and self._leads_to_mount_points_only(inner))
            for inner, directory in below
        )

    def _same_content(self, source: str, target: str, new: os.stat_result, old: os.stat_result) -> bool:
        if stat.S_ISLNK(new.st_mode):
            return os.readlink(source) == os.readlink(target)
        if stat.S_ISREG(new.st_mode):
            return new.st_size == old.st_size and same_time(new.st_mtime_ns, old.st_mtime_ns)
        return new.st_rdev == old.st_rdev

    def _replace(self, source: str, target: str, new: os.stat_result) -> None:
        """Put a new file in the place of the old one, whole or not at all."""
        mode = new.st_mode
        if stat.S_ISSOCK(mode):
            return  # the program that listened has ended
        temporary = tempfile.mktemp(prefix=".scrun-sync-", dir=os.path.dirname(target))  # noqa: S306 - ours alone
        try:
            self._make(source, temporary, new)
            os.replace(temporary, target)
        except OSError as error:
            with suppress(OSError):
                os.unlink(temporary)
            if isinstance(error, PermissionError) and (stat.S_ISCHR(mode) or stat.S_ISBLK(mode)):
                return  # only root makes device nodes
            raise
        self._count.copied += 1

    def _make(self, source: str, path: str, new: os.stat_result) -> None:
        mode = new.st_mode
        if stat.S_ISREG(mode):
            # Open for its extended attributes, too: on a network file system they need the right to read.
            with _open_to_its_owner(source, 0o400):
                shutil.copyfile(source, path)
                shutil.copystat(source, path)
            self._own(path, new)
            os.chmod(path, stat.S_IMODE(mode))
            return
        if stat.S_ISLNK(mode):
            os.symlink(os.readlink(source), path)
        else:
            os.mknod(path, mode, new.st_rdev)
        self._own(path, new)
        shutil.copystat(source, path, follow_symlinks=False)

    def _attributes(self, source: str, target: str, new: os.stat_result, old: os.stat_result) -> None:
        owner = (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid) and self._root
        mode = new.st_mode != old.st_mode
        if owner:
            self._own(target, new)
        if owner or mode or not same_time(new.st_mtime_ns, old.st_mtime_ns):
            shutil.copystat(source, target, follow_symlinks=False)
            self._count.changed += 1

    def _own(self, path: str, new: os.stat_result) -> None:
        try:
            os.lchown(path, new.st_uid, new.st_gid)
        except OSError:
            if self._root:
                raise

    def _remove(self, target: str, path: str) -> None:
        """Remove, but nothing that is excluded, nor the directories that lead there."""
        below = f"{path}/"
        if os.path.isdir(target) and not os.path.islink(target):
            guarded = any(excluded.startswith(below) for excluded in self._excluded)
            for entry in list(os.scandir(target)):
                inner = below + entry.name
                if inner not in self._excluded:
                    self._remove(entry.path, inner)
            if guarded and os.listdir(target):
                return
            os.rmdir(target)
        else:
            os.unlink(target)
        self._count.removed += 1


@contextmanager
def _open_to_its_owner(path: str, rights: int) -> Iterator[None]:
    """Read what its owner has no right to read: a server of network files knows no root but its own."""
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & rights == rights:
        yield
        return
    os.chmod(path, mode | rights)
    try:
        yield
    finally:
        os.chmod(path, mode)


def same_time(one: int, other: int) -> bool:
    """Whether two times are the same, as far as a file system with coarse times can tell."""
    if one % _SECOND == 0 or other % _SECOND == 0:
        return one // _SECOND == other // _SECOND
    return abs(one - other) < 1000
