"""The top directories of a root file system, what each of them consists of, and the ground that they are mounted on."""

import os
import stat
from collections.abc import Sequence

from actors.staging.images.marks import OPAQUE
from proto.value import Value

from .mount_points import imitate

ENGINES = frozenset(("proc", "sys", "dev"))
"""Top directories that every engine mounts something on: there is nothing in them to be shown."""


class Top(Value):
    """A top directory.

    Attributes:
        name: without a slash.
        layers: absolute paths of the directories that it consists of, the topmost first.

    """

    name: str
    layers: tuple[str, ...]


def tops(root: str, layers: Sequence[str]) -> list[Top]:
    """The top directories of a root file system.

    Args:
        root: the root file system as this host's engine shows it.
        layers: what it consists of, the topmost first.

    """
    with os.scandir(root) as entries:
        directories = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False))
    return [Top(name, tuple(_layers(name, layers))) for name in directories if name not in ENGINES]


def _layers(name: str, layers: Sequence[str]) -> list[str]:
    found = []
    for layer in layers:
        path = f"{layer}/{name}"
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(mode):
            break  # a whiteout, or something else that a directory of a higher layer has replaced
        found.append(path)
        if _is_opaque(path):
            break
    return found


def _is_opaque(directory: str) -> bool:
    """Whether a directory of a layer hides those of its name in lower layers."""
    try:
        return os.getxattr(directory, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def lay_ground(root: str, ground: str, *, owners: bool) -> tuple[str, ...]:
    """Make the container's root directory: top directories to mount on, and the few files and links beside them.

    It lies in the bundle, so what a program makes directly in ``/`` goes to the shared file system.

    Args:
        root: the root file system on this host.
        ground: the directory to make.
        owners: whether files can have their owners there.

    Returns:
        The names of what could not be had.

    """
    os.mkdir(ground, 0o700)
    with os.scandir(root) as entries:
        missing = [entry.name for entry in entries if not _lay(entry, f"{ground}/{entry.name}", owners=owners)]
    imitate(root, ground, owners=owners)
    if not owners:
        # The container's root is no root on a network file system: the runtime has to make mount points here.
        os.chmod(ground, stat.S_IMODE(os.lstat(ground).st_mode) | 0o700)
    return tuple(missing)


def _lay(entry: "os.DirEntry[str]", target: str, *, owners: bool) -> bool:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        os.mkdir(target, 0o700)
        imitate(entry.path, target, owners=owners)
        return True
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(entry.path), target)
    elif stat.S_ISREG(status.st_mode):
        import shutil  # hardly an image has a file there

        try:
            shutil.copy2(entry.path, target, follow_symlinks=False)
        except PermissionError:
            return False
    elif stat.S_ISFIFO(status.st_mode):
        os.mkfifo(target)
    else:
        return False
    if owners:
        os.chown(target, status.st_uid, status.st_gid, follow_symlinks=False)
    if not stat.S_ISLNK(status.st_mode):
        os.chmod(target, stat.S_IMODE(status.st_mode))
    # One that is younger would be brought back as changed.
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
    return True
