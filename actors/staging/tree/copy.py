"""Copies and removes directory trees, as an ordinary user or as root of a user namespace.

Such a user cannot make device nodes and cannot read everything; engines do not either, and the container does
not miss it. A full disk is another matter: a copy that lacks files for that reason must never be used.
"""

import os
import stat
from collections.abc import Iterable

from actors.staging.loglevel import Level, Log
from proto.errors import StagingError, reason
from proto.host import trees


def copy_tree(source: str, target: str, log: Log, *, owners: bool) -> bool:
    """Copy a directory with all that is in it, not crossing file systems.

    Args:
        source: directory to copy.
        target: directory to make; nothing may be there.
        log: told what could not be copied.
        owners: whether the files keep their owners; otherwise all belong to the caller, who then may write into the
            root of the copy whatever its mode was.

    Returns:
        Whether the copy is complete; if not, what is missing could not be copied by this user.

    Raises:
        StagingError: the source is not there, or the copy failed for another reason than the user's rights.

    """
    # On the way of a copy only: msgpack.
    from actors.staging.images.extent import bytes_in
    from actors.staging.images.importing import import_tree
    from actors.staging.progress import progress_of

    done = import_tree(source, target, owners=owners, progress=progress_of(log, lambda: bytes_in(source)))
    if not owners:
        _open(target)
    if done.missing:
        log(Level.VERBOSE, f"not all of {source} could be copied: {done.missing} notices, the first: {done.first}")
    return not done.missing


def has_owners(root: str) -> bool:
    """Whether the files of a tree belong to several users.

    Empty directories do not count: nearly every image has one (busybox' ``/home``, Debian's ``partial`` of apt), and
    no program misses its owner.
    """
    owner = os.lstat(root).st_uid
    todo = [(root, owner)]
    while todo:
        directory, whose = todo.pop()
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if whose != owner or (stat.S_ISREG(status.st_mode) and status.st_uid != owner):
                        return True
                    if stat.S_ISDIR(status.st_mode):
                        todo.append((entry.path, status.st_uid))
        except OSError:
            continue
    return False


def make_room(root: str, destinations: Iterable[str]) -> None:
    """Let the owner of a tree write in its top directory, and make the mount points that are not there.

    Where one id is all ids, the container's root is its owner and no more: on a network file system, where the server
    judges, a directory of mode 0555 (podman's overlay makes its root so) keeps a runtime from making ``/proc`` in it,
    and a program from writing there.

    Args:
        root: the tree.
        destinations: paths in it; one that leads through a link is left to the runtime.

    """
    _open(root)
    for destination in destinations:
        here = root
        for name in destination.strip("/").split("/"):
            below = os.path.join(here, name)
            try:
                mode = os.lstat(below).st_mode
            except FileNotFoundError:
                _open(here)
                break
            except OSError:
                break
            if not stat.S_ISDIR(mode):
                break
            here = below


def _open(directory: str) -> None:
    mode = stat.S_IMODE(os.stat(directory).st_mode)
    if mode & 0o700 != 0o700:
        os.chmod(directory, mode | 0o700)


def remove_tree(path: str) -> None:
    """Remove whatever is there, directories without write permission included.

    Raises:
        StagingError: something belongs to an id that this process is not root over.

    """
    if error := trees.remove_tree(path):
        raise StagingError(f"cannot remove {error.filename}: {reason(error)}")
