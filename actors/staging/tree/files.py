"""Brings back all that is no directory: files, links, pipes and device nodes of the directory in which a walk is.

What is one file under two names in the copy becomes one file in the original, and what is two becomes two.
"""

import os
import stat

from proto.value import replace

from .attributes import Attributes, same_attributes, set_attributes
from .closed import look, reading
from .contents import copy_contents, same_contents
from .count import MirrorCount
from .exact import Entry, Identity, Workbench
from .trail import Trail

_SECOND = 1_000_000_000
_NO_DEVICES = (stat.S_IFCHR, stat.S_IFBLK)


class Files:
    """The entries of two trees beside each other.

    Args:
        ours, theirs: the walk in the copy and that in the original, both in the same directory.
        firsts: another walk in the original, to where a file had its first name.
        bench: where entries are made.
        sharp: whether it is known what the program has touched: then its times are taken to the nanosecond. If not,
            a difference that a file system with coarse times makes is none.
        owners: whether the copy had the original's owners.
        xattrs: whether the copy had the original's extended attributes.

    Attributes:
        count: what was done.

    """

    def __init__(
        self, ours: Trail, theirs: Trail, firsts: Trail, bench: Workbench, *, sharp: bool, owners: bool, xattrs: bool
    ) -> None:
        self.count = MirrorCount()
        self.ours = ours
        self.theirs = theirs
        self._firsts = firsts
        self._bench = bench
        self._sharp = sharp
        self._owners = owners
        self._xattrs = xattrs
        # An inode of the copy that has several names: where the first of them is in the original, and what inode.
        self._placed: dict[Identity, tuple[tuple[str, ...], str, Identity]] = {}
        # An inode of the original that has or had several names: which inode of the copy it stands for.
        self._claims: dict[Identity, Identity] = {}

    def bring(self, name: str, new: os.stat_result, old: os.stat_result | None, *, quiet: bool) -> None:
        """Make an entry of the original what it is in the copy.

        Args:
            name: its name, in both directories.
            new: its status in the copy.
            old: that in the original, of the same kind; none, if nothing has the name there.
            quiet: whether the container did not touch it.

        Raises:
            OSError: it could not be brought; the original has what it had.

        """
        key = (new.st_dev, new.st_ino)
        present = None if old is None else (old.st_dev, old.st_ino)
        if new.st_nlink > 1 and key in self._placed and self._second_name(key, name, present):
            return
        taken = present is not None and self._claims.get(present, key) != key
        if old is not None and not taken and self._can_stay(name, new, old, quiet=quiet):
            identity = self._identity(name)  # an overlay makes another inode of a file that gets new attributes
        elif (put := self._put(name, new, old)) is not None:
            identity = put
        else:
            return
        if new.st_nlink > 1:
            self._placed[key] = tuple(self.theirs.names), name, identity
        if new.st_nlink > 1 or (old is not None and old.st_nlink > 1):
            self._claims[identity] = key

    def fitted(self, wanted: Attributes, present: Attributes) -> Attributes:
        """Leave as it is in the original what the copy never had."""
        if not self._owners:
            wanted = replace(wanted, uid=present.uid, gid=present.gid)
        if not self._xattrs:
            wanted = replace(wanted, xattrs={**present.xattrs, **wanted.xattrs})
        return wanted

    def give(self, name: str, wanted: Attributes, old: os.stat_result, *, exact: bool) -> None:
        """Set the attributes of an entry of the original.

        Args:
            name: its name, or ``.``.
            wanted: what it should have.
            old: its status.
            exact: whether the time is set also if only the coarser file system may have lost something of it.

        Raises:
            OSError: the file system is full, or the entry is somebody else's.

        """
        if not exact and same_time(wanted.mtime, old.st_mtime_ns):
            wanted = replace(wanted, mtime=old.st_mtime_ns)
        changed, refused = set_attributes(self.theirs.fd, name, wanted)
        self.count.changed += changed
        self.count.refuse(self._path(name), refused)

    def _path(self, name: str) -> str:
        return "/".join((*self.theirs.names, name))

    def _identity(self, name: str) -> Identity:
        status = os.stat(name, dir_fd=self.theirs.fd, follow_symlinks=False)
        return status.st_dev, status.st_ino

    def _second_name(self, key: Identity, name: str, present: Identity | None) -> bool:
        """Make the entry the same file as the one that has come first; whether that could be done."""
        directory, first, identity = self._placed[key]
        if present == identity:
            return True
        try:
            at = self._firsts.go(directory)
            linked = self._bench.link(at, first, identity, self.theirs.fd, name)
        finally:
            self._firsts.go(())  # what it opened to its owner on the way is closed again
        self.count.copied += linked
        return linked

    def _can_stay(self, name: str, new: os.stat_result, old: os.stat_result, *, quiet: bool) -> bool:
        """Whether the original's entry is the right one; it is given its attributes then."""
        if not self._same(name, new, old, quiet=quiet):
            return False
        if quiet and same_time(new.st_mtime_ns, old.st_mtime_ns):
            return True
        wanted = self._wanted(name, new, old)
        several = old.st_nlink > 1 and old.st_nlink != new.st_nlink
        if several and not same_attributes(wanted, look(self.theirs.fd, name, old)):
            return False  # its other names may be another file's by now, which must not change with it
        self.give(name, wanted, old, exact=self._sharp and not quiet)
        return True

    def _same(self, name: str, new: os.stat_result, old: os.stat_result, *, quiet: bool) -> bool:
        at, there = self.ours.fd, self.theirs.fd
        if stat.S_ISLNK(new.st_mode):
            return os.readlink(name, dir_fd=at) == os.readlink(name, dir_fd=there)
        if not stat.S_ISREG(new.st_mode):
            return new.st_rdev == old.st_rdev
        if new.st_size != old.st_size or (quiet and same_time(new.st_mtime_ns, old.st_mtime_ns)):
            return new.st_size == old.st_size
        with reading(at, name) as source, reading(there, name) as target:
            return same_contents(source, target, new.st_size)

    def _put(self, name: str, new: os.stat_result, old: os.stat_result | None) -> Identity | None:
        """Put the copy's entry there; a device node, where only root makes them, is left out."""
        at = self.ours.fd
        link = os.readlink(name, dir_fd=at) if stat.S_ISLNK(new.st_mode) else ""

        def fill(target: int) -> None:
            with reading(at, name) as source:
                copy_contents(source, target)

        entry = Entry(self._wanted(name, new, old), link, new.st_rdev, fill)
        try:
            identity, refused = self._bench.put(self.theirs.fd, name, entry)
        except PermissionError:
            if stat.S_IFMT(new.st_mode) in _NO_DEVICES:
                return None
            raise
        self.count.copied += 1
        self.count.refuse(self._path(name), refused)
        return identity

    def _wanted(self, name: str, new: os.stat_result, old: os.stat_result | None) -> Attributes:
        wanted = look(self.ours.fd, name, new)
        if old is None or (self._owners and self._xattrs):
            return wanted
        return self.fitted(wanted, look(self.theirs.fd, name, old))


def same_time(one: int, other: int) -> bool:
    """Whether two times are the same, as far as a file system with coarse times can tell."""
    if one % _SECOND == 0 or other % _SECOND == 0:
        return one // _SECOND == other // _SECOND
    return abs(one - other) < 1000
