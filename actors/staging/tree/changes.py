"""Brings the upper directory of an overlay, as a tar that was made on the node, into the tree that was below it.

The archive is read twice. The first time nothing is changed: is it complete, and does each name lead where a name may?
The second time its members are carried out in their order; doing that twice, or again after having been killed in the
middle, gives the same result.

A program that we do not trust has made what is in the archive. No member is looked for through a link, a hard link is
one to a member that was put before it, and nothing has a name outside the tree.
"""

import errno
import os
import stat
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import partial

from proto.value import replace

from .archive import Member, members, pieces
from .attributes import Attributes, is_carried, set_attributes
from .closed import look, reading
from .contents import copy_contents, copy_range
from .count import MirrorCount
from .exact import Entry, Identity, Workbench
from .removal import remove
from .spared import Spared
from .survey import Place, Survey, overlay_mark, place_of
from .trail import Trail

_NO_DEVICES = (stat.S_IFCHR, stat.S_IFBLK)


def apply_changes(
    archive: str, original: str, excluded: AbstractSet[str], uppers: Mapping[str, str] | None = None
) -> MirrorCount:
    """Change a tree as an overlay over it was changed; what cannot be done keeps nothing else from being done.

    Args:
        archive: a file, made by ``tar --format=posix --xattrs --xattrs-include='*' --sparse`` in the C locale (in
            another one it writes names that it takes for that locale's anew) from the upper directory.
        original: the tree.
        excluded: paths relative to it that are left alone: mount points, and what the overlay did not show.
        uppers: for the upper directories of several overlays in one archive: the path of each in the archive, and
            where in the tree it was mounted; members outside them are ignored. Without it the archive is one of ``.``.

    Raises:
        StagingError: the archive is not complete, or has something in it that cannot be right; nothing was changed.
        OSError: the archive or the tree cannot be read at all.

    """
    with open(archive, "rb") as file:
        fd = file.fileno()
        spared = Spared(excluded)
        survey = Survey({"": ""} if uppers is None else uppers, spared)
        for member in members(fd):
            survey.see(member)
            for _ in pieces(fd, member) if stat.S_ISREG(member.mode) else ():
                pass  # the map of a sparse file is right
        with Trail(original, writing=True) as trail, Trail(original, writing=True) as firsts:
            with Workbench(trail.fd) as bench:
                changes = _Changes(fd, trail, firsts, bench, survey, spared)
                for member in members(fd):
                    changes.take(member)
            changes.finish()
            return changes.count


class _Changes:
    def __init__(
        self, archive: int, trail: Trail, firsts: Trail, bench: Workbench, survey: Survey, spared: Spared
    ) -> None:
        self.count = MirrorCount()
        self._archive = archive
        self._trail = trail
        self._firsts = firsts
        self._bench = bench
        self._survey = survey
        self._spared = spared
        # Given when all is in them: a new name in a directory changes its time, and its mode may close it.
        self._directories: dict[Place, Attributes] = {(): look(trail.fd, ".", trail.status)}
        self._placed: dict[Place, Identity] = {}

    def take(self, member: Member) -> None:
        """Carry out one member."""
        place = place_of(member.name, self._survey.uppers)
        if place is None or self._spared.covers(place):
            return
        path = "/".join(place)
        try:
            if place:
                self._open_directory(place[:-1])
                self._entry(member, place, path)
            else:
                self._directory(member, (), "")
        except OSError as error:
            if not (isinstance(error, FileNotFoundError) and self._survey.for_mounts_only(path)):
                self.count.fail(path, error)

    def finish(self) -> None:
        """Give the directories their attributes, those below before those above."""
        for place in sorted(self._directories, reverse=True):
            path = "/".join(place)
            try:
                self._trail.go(place[:-1])
                changed, refused = set_attributes(self._trail.fd, place[-1] if place else ".", self._directories[place])
            except OSError as error:
                self.count.fail(path, error)
                continue
            self.count.changed += changed
            self.count.refuse(path, refused)
        self._trail.go(())
        self._trail.keep_mode()

    def _open_directory(self, place: Place) -> None:
        """Go to a directory in which something will be changed; if it is not in the archive, it keeps what it has."""
        if self._trail.names != list(place):
            self._trail.go(place)
        if place not in self._directories:
            self._directories[place] = look(self._trail.fd, ".", self._trail.status)

    def _entry(self, member: Member, place: Place, path: str) -> None:
        at, name = self._trail.fd, place[-1]
        try:
            old = os.stat(name, dir_fd=at, follow_symlinks=False)
        except FileNotFoundError:
            old = None
        if _is_whiteout(member):
            if old is not None:
                self.count.removed += remove(at, name, path, self._spared)
            return
        directory = stat.S_ISDIR(member.mode)
        if directory and old is None and self._survey.for_mounts_only(path):
            return
        if old is not None and stat.S_ISDIR(old.st_mode) != directory:
            if stat.S_ISDIR(old.st_mode):
                self.count.removed += remove(at, name, path, self._spared)
            elif directory:
                os.unlink(name, dir_fd=at)
                self.count.removed += 1
        if not directory:
            self._put(member, place)
            return
        if old is None or not stat.S_ISDIR(old.st_mode):
            os.mkdir(name, 0o700, dir_fd=at)
            self.count.copied += 1
        self._directory(member, place, path)

    def _directory(self, member: Member, place: Place, path: str) -> None:
        """Note the attributes of a directory that is there, and empty it if nothing of before is to be seen in it."""
        wanted = _attributes(member)
        self._trail.go(place)
        if overlay_mark(member, "opaque") == b"y":
            for name in os.listdir(self._trail.fd):
                below = "/".join((*place, name))
                if below not in self._spared and below != self._bench.name:
                    self.count.removed += remove(self._trail.fd, name, below, self._spared)
        if self._survey.for_mounts_only(path):
            wanted = replace(wanted, mtime=os.fstat(self._trail.fd).st_mtime_ns)  # the node's runtime changed it
        self._directories[place] = wanted

    def _put(self, member: Member, place: Place) -> None:
        if not stat.S_IFMT(member.mode):
            self._link(member, place)
            return
        entry = Entry(_attributes(member), member.link, member.device, partial(self._fill, member))
        try:
            identity, refused = self._bench.put(self._trail.fd, place[-1], entry)
        except PermissionError:
            if stat.S_IFMT(member.mode) in _NO_DEVICES:
                return  # only root makes device nodes
            raise
        self._put_there(place, identity, refused)

    def _link(self, member: Member, place: Place) -> None:
        """Make another name of a file that was put before; another file like it, where there are no such names."""
        first = place_of(member.link, self._survey.uppers)
        if first is None or first not in self._placed:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), member.link)
        if first == place:
            return
        name = first[-1]
        try:
            at = self._firsts.go(first[:-1])
            if self._bench.link(at, name, self._placed[first], self._trail.fd, place[-1]):
                self._put_there(place, self._placed[first], [])
                return
            status = os.stat(name, dir_fd=at, follow_symlinks=False)
            link = os.readlink(name, dir_fd=at) if stat.S_ISLNK(status.st_mode) else ""

            def fill(target: int) -> None:
                with reading(at, name) as source:
                    copy_contents(source, target)

            again = Entry(look(at, name, status), link, status.st_rdev, fill)
            self._put_there(place, *self._bench.put(self._trail.fd, place[-1], again))
        finally:
            self._firsts.go(())  # what it opened to its owner on the way is closed again

    def _put_there(self, place: Place, identity: Identity, refused: list[str]) -> None:
        self._placed[place] = identity
        self.count.copied += 1
        self.count.refuse("/".join(place), refused)

    def _fill(self, member: Member, target: int) -> None:
        for at, start, length in pieces(self._archive, member):
            copy_range(self._archive, at, target, start, length)
        os.ftruncate(target, member.size)


def _attributes(member: Member) -> Attributes:
    xattrs = {xattr: value for xattr, value in member.xattrs.items() if is_carried(xattr)}
    return Attributes(member.mode, member.uid, member.gid, member.mtime, xattrs)


def _is_whiteout(member: Member) -> bool:
    """Whether an entry says that there is none: a device 0:0, or, on an upper directory that has none, a mark."""
    if stat.S_ISCHR(member.mode):
        return member.device == 0
    return stat.S_ISREG(member.mode) and not member.size and overlay_mark(member, "whiteout") is not None
