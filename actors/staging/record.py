"""What a copied directory was like when the program began, and what the program has changed in it since.

Both the program and this host may change such a directory at the same time, each its own one. What comes back is what
the program has changed, and nothing else: so the copy is compared with a record of itself, never with the original.
"""

import os
import stat
from collections.abc import Iterator

from proto.value import Value

Record = dict[str, list[int]]
"""By relative path, that of the top being empty: mode, uid, gid, and but for directories size, mtime, ctime (both in
nanoseconds) and inode number. No program can set a ctime."""


class Changes(Value):
    """What has to be brought back.

    Attributes:
        active: relative paths that the program has made, changed or removed, and the directories that lead there.
        spared: relative paths that must be left as this host has them, and with them all that is below.

    """

    active: frozenset[str] = frozenset()
    spared: frozenset[str] = frozenset()

    def inside(self, name: str) -> "Changes":
        """Those below a directory of the top, as if that were the top."""
        below = f"{name}/"
        parts = (
            frozenset(path.removeprefix(below) for path in paths if path.startswith(below))
            for paths in (self.active, self.spared)
        )
        return Changes(*parts)


def entries(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """The top and all below it on its file system, by relative path; no link is followed but the top itself.

    A directory that may not be read is as good as empty, and so is one that is gone.
    """
    try:
        status = os.stat(top)
    except OSError:
        return
    yield "", status
    device = status.st_dev
    todo = [""] if stat.S_ISDIR(status.st_mode) else []
    while todo:
        here = todo.pop()
        try:
            with os.scandir(os.path.join(top, here)) as found:
                below = [(os.path.join(here, entry.name), entry.stat(follow_symlinks=False)) for entry in found]
        except OSError:
            continue
        for path, status in below:
            yield path, status
            if stat.S_ISDIR(status.st_mode) and status.st_dev == device:
                todo.append(path)


def take(top: str) -> Record:
    """Record a copy as it is now."""
    return {path: _state(status) for path, status in entries(top)}


def compare(record: Record, copy: str, original: str = "") -> Changes:
    """Find out what has been changed in a copy since it was recorded.

    Args:
        record: of the copy.
        copy: its top.
        original: the top of what it was copied from, as this host has it now; empty if it has it no more.

    """
    now = take(copy)
    changed = {path for path in now.keys() | record.keys() if now.get(path) != record.get(path)}
    active = set(changed)
    for path in changed:
        above = path
        while above and (above := os.path.dirname(above)) not in active:
            active.add(above)
    if not active:
        return Changes()
    spared = {path for path in now if path not in active and os.path.dirname(path) in active and path}
    # What is there and was never copied is the host's own: made meanwhile, or nothing that can be copied.
    own = {path for path, _ in entries(original) if path not in record and path not in now}
    spared |= {path for path in own if os.path.dirname(path) in active}
    return Changes(frozenset(active), frozenset(spared))


def _state(status: os.stat_result) -> list[int]:
    whose = [status.st_mode, status.st_uid, status.st_gid]
    if stat.S_ISDIR(status.st_mode):
        return whose  # its times and its size tell what was done with names in it, which have states of their own
    return [*whose, status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
