"""Tells a container that was just made from one that has changes.

Engines put a few things into the upper directory of every container, before its program begins: mount points of their
own, and a link that old programs look at. Such a container is still what its image is.
"""

import os
import stat

from .contents import attributes_of
from .descent import Descent, Names

PLACES: dict[bytes, str] = {
    b"dev": "directory",
    b"dev/console": "empty",
    b"dev/pts": "directory",
    b"dev/shm": "directory",
    b"etc": "directory",
    b"etc/hostname": "empty",
    b"etc/hosts": "empty",
    b"etc/mtab": "link",
    b"etc/resolv.conf": "empty",
    b"proc": "directory",
    b"run": "directory",
    b"run/.containerenv": "empty",
    b"run/secrets": "directory",
    b"sys": "directory",
    b".dockerenv": "empty",
}
"""What podman 4 and 5 and docker 20 to 28 make; a directory before what is in it."""
MTAB = "/proc/mounts"
"""Where the link ``/etc/mtab`` leads to."""


def is_engine_made(above: tuple[str, ...], layers: tuple[str, ...], changes: int) -> bool:
    """Whether an engine made all that is in the directories over the layers.

    Args:
        above: directories over the layers.
        layers: of the image, the topmost first.
        changes: number of entries in ``above``.

    """
    return changes <= 2 * len(PLACES) and all(_is_made(path, layers) for path in above)


def _is_made(root: str, layers: tuple[str, ...]) -> bool:
    descent = Descent(root)
    todo: list[Names] = [()]
    try:
        while todo:
            names = todo.pop()
            directory = descent.to(names)
            for each in os.listdir(directory):
                path = (*names, os.fsencode(each))
                status = os.stat(each, dir_fd=directory, follow_symlinks=False)
                link = os.readlink(each, dir_fd=directory) if stat.S_ISLNK(status.st_mode) else ""
                if PLACES.get(b"/".join(path)) != _kind(status, link) or attributes_of(directory, path[-1]):
                    return False
                if stat.S_ISDIR(status.st_mode):
                    if not _is_as_below(os.fsdecode(b"/".join(path)), status, layers):
                        return False
                    todo.append(path)
    except OSError:
        return False
    finally:
        descent.close()
    return True


def _kind(status: os.stat_result, link: str) -> str:
    if stat.S_ISDIR(status.st_mode):
        return "directory"
    if stat.S_ISREG(status.st_mode) and not status.st_size:
        return "empty"
    return "link" if link == MTAB else "another"


def _is_as_below(path: str, status: os.stat_result, layers: tuple[str, ...]) -> bool:
    """Whether a directory is like the one that it lies over, if there is one."""
    for layer in layers:
        try:
            below = os.lstat(os.path.join(layer, path))
        except OSError:
            continue
        return (below.st_mode, below.st_uid, below.st_gid) == (status.st_mode, status.st_uid, status.st_gid)
    return True
