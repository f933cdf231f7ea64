"""Makes a tree fit to be read by all users of a site, and dangerous for none.

Everybody can reach it on the shared file system, outside of any container. So there is nothing in it by which somebody
becomes its owner (setuid, setgid, capabilities), no device node, and nothing that others may write. What its owner may
read or execute, others may, too: a container's root is an ordinary user there, and is to read what root of the image
may read.
"""

import os
import stat
from collections.abc import Iterable
from typing import Any

from actors.staging.overlay.mount_points import placed

from .descent import Descent, Names
from .engine_made import MTAB, PLACES

_CAPABILITY = "security.capability"


def opened(mode: int) -> int:
    """The mode that a file or a directory of a published tree has, by its mode in the image."""
    owner = stat.S_IMODE(mode) & 0o700
    readable = owner & 0o500
    return owner | readable >> 3 | readable >> 6


def publish_tree(root: str) -> int:
    """Change a tree that is not complete yet; return how many things are left out.

    Raises:
        OSError: something could not be changed.

    """
    left_out = 0
    descent = Descent(root)
    todo: list[Names] = [()]
    try:
        while todo:
            names = todo.pop()
            directory = descent.to(names)
            status = os.fstat(directory)
            os.chmod(directory, opened(status.st_mode) | 0o700)
            for each in os.listdir(directory):
                name = os.fsencode(each)
                found = os.stat(name, dir_fd=directory, follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    todo.append((*names, name))
                elif stat.S_ISREG(found.st_mode):
                    _publish_file(directory, name, found)
                elif not stat.S_ISLNK(found.st_mode):
                    os.unlink(name, dir_fd=directory)
                    left_out += 1
            os.utime(directory, ns=(status.st_atime_ns, status.st_mtime_ns))
    finally:
        descent.close()
    return left_out


def add_places(root: str, *, docker: bool) -> None:
    """Make what each engine makes in its containers, unless the image has it: who uses the tree cannot.

    Args:
        root: the tree.
        docker: whether docker's containers use it; programs take those with ``/.dockerenv`` for such.

    Raises:
        OSError: something could not be made.

    """
    for path, kind in PLACES.items():
        if path.startswith(b"run/"):
            continue  # engines mount a tmpfs there, which must find the directory empty (``can_be_read_only``)
        if path == b".dockerenv" and not docker:
            continue
        place = os.path.join(os.fsencode(root), path)
        if os.path.realpath(os.path.dirname(place)) != os.path.dirname(place) or os.path.lexists(place):
            continue  # a link of the image's is not followed
        if kind == "directory":
            os.mkdir(place, 0o755)
        elif kind == "empty":
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
        else:
            os.symlink(MTAB, place)


def can_be_read_only(root: str, mounts: Iterable[dict[str, Any]]) -> bool:
    """Whether a runtime can make a container of a tree in which it can make nothing, and whose owner has no id there.

    All mount points that are in the tree must be there; and a tmpfs that begins with what lies below it (``tmpcopyup``)
    must lie over an empty directory, since nothing can be given to that owner.

    Args:
        root: the tree.
        mounts: of config.json, in their order; what lies below an earlier one is not in the tree.

    """
    for mount, destination, hidden in placed(mounts):
        if not hidden:
            place = os.path.join(os.path.realpath(root), destination.strip("/"))
            if not os.path.lexists(place) or os.path.realpath(place) != place:
                return False
            if "tmpcopyup" in (mount.get("options") or ()) and not _is_empty(place):
                return False
    return True


def _is_empty(directory: str) -> bool:
    try:
        return not os.listdir(directory)
    except OSError:
        return False


def _publish_file(directory: int, name: bytes, status: os.stat_result) -> None:
    mode = opened(status.st_mode)
    if mode != stat.S_IMODE(status.st_mode):
        os.chmod(name, mode, dir_fd=directory)
    path = b"/proc/self/fd/%d/%b" % (directory, name)
    for each in os.listxattr(path, follow_symlinks=False):
        # An access control list may let others write.
        if each == _CAPABILITY or each.startswith("system.posix_acl"):
            os.removexattr(path, each, follow_symlinks=False)
