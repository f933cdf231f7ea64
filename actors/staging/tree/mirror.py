"""Brings the changes of a copied root file system back to the original, exactly.

Doing it twice, or again after having been killed in the middle, gives the same result.

What the container has not touched is told by its change time (ctime), which no program can set: a file whose ctime is
older than the end of copying is as it was. That is true of what is *in* it; whether it is still what had this path is
another question, for a directory that is renamed takes along what is below it, without a trace there. A rename changes
the ctime of the directory itself and of that in which it is. So where both are new, all below is compared by contents.
"""

import os
import stat
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from functools import partial

from proto.value import replace

from .attributes import Attributes, read_attributes
from .closed import look
from .count import MirrorCount
from .exact import Workbench
from .files import Files
from .removal import remove
from .spared import Spared
from .trail import Trail


def mirror(
    copy: str,
    original: str,
    excluded: AbstractSet[str],
    since: int = 0,
    *,
    owners: bool = True,
    xattrs: bool = True,
) -> MirrorCount:
    """Make the original like the copy; a file that cannot be brought back keeps none of the others from it.

    Args:
        copy: the tree that the container has used.
        original: the tree that it was copied from.
        excluded: paths relative to the trees that are neither copied nor removed: mount points, and what was not
            in the copy from the beginning.
        since: the ctime, in nanoseconds, of a file that was made in the copy's file system when the copy was
            complete; 0, if there is none: then the contents of all files are compared.
        owners: whether the copy had the owners of the original; if not, those of the original stay.
        xattrs: whether the copy had the extended attributes of the original; if not, none is removed.

    Raises:
        OSError: one of the trees cannot be read at all.

    """
    with Trail(copy) as ours, Trail(original, writing=True) as theirs, Trail(original, writing=True) as firsts:
        with Workbench(theirs.fd) as bench:
            files = Files(ours, theirs, firsts, bench, sharp=since > 0, owners=owners, xattrs=xattrs)
            walk = _Mirror(files, bench, Spared(excluded), since)
            top = walk.run()
        walk.close_top(top)
        return files.count


class _Frame:
    """A directory in which the walk is.

    Attributes:
        wanted: the attributes of the copy's directory.
        names: what is still to be done.
        before: the time of the original's directory as it was found.
        changed: its ctime is new.
        moved: it, or a directory above it, may have been somewhere else.
        mounted: something in it was made for a mount point only.

    """

    def __init__(self, wanted: Attributes, names: list[str], before: int, *, changed: bool, moved: bool) -> None:
        self.wanted = wanted
        self.names = names
        self.before = before
        self.changed = changed
        self.moved = moved
        self.mounted = False


class _Mirror:
    def __init__(self, files: Files, bench: Workbench, spared: Spared, since: int) -> None:
        self._files = files
        self._ours, self._theirs, self._count = files.ours, files.theirs, files.count
        self._bench = bench
        self._spared = spared
        self._since = since
        self._frames: list[_Frame] = []

    def run(self) -> _Frame:
        """Do all but the attributes of the top, which are to be set when all that we had in it is gone."""
        self._enter(os.fstat(self._ours.fd), moved=False)
        while True:
            frame = self._frames[-1]
            if frame.names:
                name = frame.names.pop()
                self._try(self._path(name), partial(self._entry, frame, name))
            elif len(self._frames) > 1:
                self._leave()
            else:
                return frame

    def close_top(self, frame: _Frame) -> None:
        self._try("", partial(self._close, frame, "."))
        self._theirs.keep_mode()

    def _path(self, name: str) -> str:
        return "/".join((*self._ours.names, name))

    def _try(self, path: str, bring: Callable[[], None]) -> None:
        try:
            bring()
        except OSError as error:
            self._count.fail(path, error)

    def _entry(self, frame: _Frame, name: str) -> None:
        path = self._path(name)
        new = os.stat(name, dir_fd=self._ours.fd, follow_symlinks=False)
        try:
            old = os.stat(name, dir_fd=self._theirs.fd, follow_symlinks=False)
        except FileNotFoundError:
            old = None
        if old is not None and stat.S_IFMT(old.st_mode) != stat.S_IFMT(new.st_mode):
            self._remove(name, path)
            old = None
        touched = new.st_ctime_ns >= self._since
        if stat.S_ISDIR(new.st_mode):
            if old is None:
                if self._leads_to_mount_points_only(self._ours.fd, name, path):
                    frame.mounted = True
                    return
                os.mkdir(name, 0o700, dir_fd=self._theirs.fd)
                self._count.copied += 1
            self._step(name, new, moved=frame.moved or (frame.changed and touched))
        elif not stat.S_ISSOCK(new.st_mode):  # the program that listened has ended
            self._files.bring(name, new, old, quiet=not touched and not frame.moved)

    def _remove(self, name: str, path: str) -> None:
        self._count.removed += remove(self._theirs.fd, name, path, self._spared)

    def _leads_to_mount_points_only(self, at: int, name: str, path: str) -> bool:
        """Whether a new directory was made by the node's runtime, on the way to a mount point, and has nothing else."""
        if path not in self._spared.leads:
            return False
        with Trail(name, at) as inside:
            below = os.listdir(inside.fd)
            return bool(below) and all(
                f"{path}/{one}" in self._spared or self._leads_to_mount_points_only(inside.fd, one, f"{path}/{one}")
                for one in below
            )

    # --- into a directory and out of it ---

    def _step(self, name: str, new: os.stat_result, *, moved: bool) -> None:
        self._ours.down(name)
        try:
            self._theirs.down(name)
        except OSError:
            self._ours.up()
            raise
        try:
            self._enter(new, moved=moved)
        except OSError:
            self._ours.up()
            self._theirs.up()
            raise

    def _enter(self, new: os.stat_result, *, moved: bool) -> None:
        """Take away what the copy does not have, and list the rest; both trails are there."""
        before = os.fstat(self._theirs.fd).st_mtime_ns
        ours = set(os.listdir(self._ours.fd))
        wanted = read_attributes(self._ours.fd, ".", new)
        for name in os.listdir(self._theirs.fd):
            path = self._path(name)
            if name not in ours and path not in self._spared and path != self._bench.name:
                self._try(path, partial(self._remove, name, path))
        names = sorted((name for name in ours if self._path(name) not in self._spared), reverse=True)
        self._frames.append(_Frame(wanted, names, before, changed=new.st_ctime_ns >= self._since, moved=moved))

    def _leave(self) -> None:
        frame = self._frames.pop()
        name = self._ours.names[-1]
        self._ours.up()
        self._theirs.up()
        self._try(self._path(name), partial(self._close, frame, name))

    def _close(self, frame: _Frame, name: str) -> None:
        old = os.stat(name, dir_fd=self._theirs.fd, follow_symlinks=False)
        present = look(self._theirs.fd, name, old)
        touched = frame.changed or frame.moved
        wanted = self._files.fitted(frame.wanted, present) if touched else replace(present, mtime=frame.wanted.mtime)
        alike = (wanted.mode, wanted.uid, wanted.gid) == (old.st_mode, old.st_uid, old.st_gid)
        if frame.mounted and alike and old.st_mtime_ns == frame.before:
            wanted = replace(wanted, mtime=frame.before)  # the copy's time is that of the mount point
        self._files.give(name, wanted, old, exact=self._since > 0 and touched)


def missing_paths(original: str, copy: str) -> list[str]:
    """Paths, relative to the trees, that are in the original and not in its copy; not what is below them."""
    found: list[str] = []
    with Trail(original, opening=False) as theirs, Trail(copy) as ours:
        levels = [_both(theirs, ours, found)]
        while levels:
            if not levels[-1]:
                levels.pop()
                if levels:
                    theirs.up()
                    ours.up()
                continue
            name = levels[-1].pop()
            path = "/".join((*theirs.names, name))
            try:
                theirs.down(name)
            except NotADirectoryError:
                continue
            except PermissionError:
                found.append(path)  # unreadable: all of it
                continue
            try:
                ours.down(name)
            except NotADirectoryError:
                found.append(path)
                theirs.up()
                continue
            levels.append(_both(theirs, ours, found))
    return found


def _both(theirs: Trail, ours: Trail, found: list[str]) -> list[str]:
    """Names that both directories have; the others are noted."""
    names = os.listdir(theirs.fd)
    present = set(os.listdir(ours.fd))
    found += ["/".join((*theirs.names, name)) for name in names if name not in present]
    return [name for name in names if name in present]
