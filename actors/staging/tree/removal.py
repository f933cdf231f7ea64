"""Removes an entry with all that is below it, however deep, but nothing that is spared, nor what leads there."""

import os

from .spared import Spared
from .trail import Trail


def remove(at: int, name: str, path: str, spared: Spared) -> int:
    """Remove an entry; a part of it that cannot go keeps none of the others.

    Args:
        at: descriptor of its directory.
        name: its name there.
        path: its path from the top of the tree, for ``spared``; it is not spared itself.
        spared: what stays.

    Returns:
        How many entries were removed.

    Raises:
        OSError: why the first part that is left could not go.

    """
    if _unlinked(name, at):
        return 1
    with Trail(name, at, writing=True) as trail:
        removed, failure, bare = _empty(trail, path, spared)
    if failure is not None:
        raise failure
    if bare:
        os.rmdir(name, dir_fd=at)
    return removed + bare


def _unlinked(name: str, at: int) -> bool:
    try:
        os.unlink(name, dir_fd=at)
    except IsADirectoryError:
        return False
    return True


class _Level:
    def __init__(self, fd: int, path: str, *, guarded: bool) -> None:
        self.names = os.listdir(fd)
        self.path = path
        self.guarded = guarded
        self.bare = True


def _empty(trail: Trail, path: str, spared: Spared) -> tuple[int, OSError | None, bool]:
    """Remove all that is in a directory: how many, the first failure, and whether nothing is left."""
    removed = 0
    failure: OSError | None = None
    levels = [_Level(trail.fd, path, guarded=path in spared.leads)]
    while True:
        level = levels[-1]
        if not level.names and len(levels) == 1:
            return removed, failure, level.bare
        if not level.names:
            name = trail.names[-1]
            trail.up()
            levels.pop()
            levels[-1].bare &= level.bare
        else:
            name = level.names.pop()
        here = f"{levels[-1].path}/{name}" if levels[-1].guarded else ""
        try:
            if level is not levels[-1]:
                if level.bare:
                    os.rmdir(name, dir_fd=trail.fd)
                    removed += 1
            elif here in spared:
                level.bare = False
            elif _unlinked(name, trail.fd):
                removed += 1
            else:
                trail.down(name)
                levels.append(_Level(trail.fd, here, guarded=here in spared.leads))
        except OSError as error:
            failure = failure or error
            levels[-1].bare = False
            while len(trail.names) >= len(levels):
                trail.up()
