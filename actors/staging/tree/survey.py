"""Looks through an archive of changes before anything is done: names, and what only a mount needed."""

import stat
from collections.abc import Mapping, Sequence

from proto.errors import StagingError

from .archive import Member
from .spared import Spared

Place = tuple[str, ...]
"""A path in the tree, name by name; the top has none."""

_OVERLAY = ("user.overlay.", "trusted.overlay.")
_ELSEWHERE = ("redirect", "metacopy")
"""Marks of entries whose contents are in the tree below, under the same name or another: the archive lacks them."""


def overlay_mark(member: Member, what: str) -> bytes | None:
    """What the overlay noted with an entry; none, if it did not.

    A program cannot set such marks: through an overlay the kernel refuses their names or changes them.
    """
    return next((member.xattrs[prefix + what] for prefix in _OVERLAY if prefix + what in member.xattrs), None)


def place_of(name: str, uppers: Sequence[tuple[Place, Place]]) -> Place | None:
    """Where an archive's name is in the tree; nowhere, if it is outside all upper directories.

    Args:
        name: as it is in the archive.
        uppers: of each upper directory its place in the archive, and that in the tree; the longest first.

    Raises:
        StagingError: it leads out of the archive.

    """
    names = tuple(part for part in name.split("/") if part not in {"", "."})
    if name.startswith("/") or not name or ".." in names:
        raise StagingError("the archive of the container's changes has a name in it that leads out of the container")
    for there, here in uppers:
        if names[: len(there)] == there:
            return (*here, *names[len(there) :])
    return None


class Survey:
    """What must be known of all members before the first is carried out.

    Args:
        uppers: of each upper directory its path in the archive, and that in the tree.
        spared: what is left alone.

    Attributes:
        uppers: for ``place_of``.

    """

    def __init__(self, uppers: Mapping[str, str], spared: Spared) -> None:
        found = [(_names(there), _names(here)) for there, here in uppers.items()]
        self.uppers = sorted(found, key=lambda pair: len(pair[0]), reverse=True)
        self._spared = spared
        self._below: dict[str, list[tuple[str, bool]]] = {}

    def see(self, member: Member) -> None:
        """Take note of a member.

        Raises:
            StagingError: its name leads out of the archive, or its contents are somewhere else.

        """
        place = place_of(member.name, self.uppers)
        if not stat.S_IFMT(member.mode):
            place_of(member.link, self.uppers)
        for mark in _ELSEWHERE:
            if overlay_mark(member, mark) is not None:
                raise StagingError(f"the node's overlay was mounted with {mark}: what it has changed is not all there")
        above = "/".join((place or ())[:-1])
        if place and above in self._spared.leads:
            self._below.setdefault(above, []).append(("/".join(place), stat.S_ISDIR(member.mode)))

    def for_mounts_only(self, path: str) -> bool:
        """Whether a directory in the archive has nothing but mount points, and what leads there.

        The node's runtime made them. If it made the directory, too, nobody wants it; if not, it only changed its time.
        """
        below = self._below.get(path, ())
        return bool(below) and all(
            one in self._spared or (directory and self.for_mounts_only(one)) for one, directory in below
        )


def _names(path: str) -> Place:
    return tuple(part for part in path.split("/") if part not in {"", "."})
