"""Mount points that an image does not have, made in a layer of the container's own.

A runtime makes a mount point that is missing where it is missing: in a shared tree all later containers would see it,
and in the container's changes it would come back as one.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from typing import Any

from actors.oci.image_path import resolve

Mount = dict[str, Any]


def make_mount_points(root: str, ground: str, layer: str, mounts: Iterable[Mount], *, owners: bool) -> None:
    """Make what is missing, and give the layer's root directory the attributes of the container's.

    Args:
        root: the root file system as the container will see it, on this host.
        ground: the directory that the runtime takes for the root: it gets the links that lead to mount points, and the
            runtime makes all else.
        layer: directory of the topmost layer, in which missing mount points are made.
        mounts: of config.json, in order.
        owners: whether directories on the way can have their owners.

    """
    touched: set[tuple[str, ...]] = {()}
    for mount, destination, hidden in placed(mounts):
        if hidden:
            continue
        links: list[tuple[list[str], str]] = []
        there, missing = resolve(root, destination, links)
        for names, target in links:
            _link(ground, names, target)
        if links:
            # Not every runtime makes a directory behind a link.
            directory = there if os.path.isdir(os.path.join(root, *there)) else there[:-1]
            os.makedirs(os.path.join(ground, *directory), 0o755, exist_ok=True)
        if missing and stat.S_ISDIR(os.lstat(os.path.join(root, *there)).st_mode):
            _make(layer, there, missing, file=_is_file(mount))
            touched |= {tuple(there[:count]) for count in range(len(there) + 1)}
    # Now that all is made: their modes may forbid it. An overlay shows the attributes of its topmost layer.
    for path in sorted(touched, key=len, reverse=True):
        imitate(os.path.join(root, *path), os.path.join(layer, *path), owners=owners)


def behind_links(root: str, mounts: Iterable[Mount]) -> list[Mount]:
    """Mounts whose destinations are no links, nor behind one: crun 1.8.1 does not follow one to a file.

    Args:
        root: the root file system as the container will see it, on this host.
        mounts: of config.json, in order; what is on another mount stays.

    """
    found: list[Mount] = []
    done: list[str] = []
    for mount in mounts:
        destination = _destination(mount)
        if not _is_on(destination, done):
            there, missing = resolve(root, destination)
            if there or missing:
                destination = "/" + "/".join((*there, *missing))
        done.append(destination)  # where it leads, other than ``placed``
        found.append({**mount, "destination": destination})
    return found


def to_be_made(root: str, mounts: Iterable[Mount]) -> list[str]:
    """Mount points that a runtime has to make in a root file system; what lies on another mount is not in it.

    Args:
        root: the root file system.
        mounts: of config.json, in order.

    """
    return sorted(path for _, path, hidden in placed(mounts) if not hidden and resolve(root, path)[1])


def placed(mounts: Iterable[Mount]) -> Iterator[tuple[Mount, str, bool]]:
    """Each mount with its destination, and whether that is on an earlier one."""
    done: list[str] = []
    for mount in mounts:
        destination = _destination(mount)
        yield mount, destination, _is_on(destination, done)
        done.append(destination)


def _destination(mount: Mount) -> str:
    return os.path.normpath("/" + str(mount.get("destination", "/")).lstrip("/"))


def _is_on(destination: str, mounts: Iterable[str]) -> bool:
    """Whether a mount is on another one."""
    return any(destination == above or destination.startswith(above + "/") for above in mounts)


def _link(ground: str, names: list[str], target: str) -> None:
    path = os.path.join(ground, *names)
    os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
    if not os.path.lexists(path):
        os.symlink(target, path)


def _is_file(mount: Mount) -> bool:
    source = str(mount.get("source", ""))
    return mount.get("type") in {None, "bind", "none"} and os.path.exists(source) and not os.path.isdir(source)


def _make(layer: str, there: list[str], missing: list[str], *, file: bool) -> None:
    here = layer
    for name in (*there, *missing[:-1]):
        _open(here)
        here = os.path.join(here, name)
        if not os.path.lexists(here):
            os.mkdir(here, 0o755)
    _open(here)
    last = os.path.join(here, missing[-1])
    if os.path.lexists(last):
        return
    if file:
        os.close(os.open(last, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    else:
        os.mkdir(last, 0o755)


def _open(directory: str) -> None:
    mode = stat.S_IMODE(os.lstat(directory).st_mode)
    if mode & 0o700 != 0o700:
        os.chmod(directory, mode | 0o700)


def imitate(model: str, directory: str, *, owners: bool) -> None:
    """Give a directory the owner, mode and time of another one."""
    status = os.lstat(model)
    if owners:
        os.chown(directory, status.st_uid, status.st_gid)
    os.chmod(directory, stat.S_IMODE(status.st_mode))
    os.utime(directory, ns=(status.st_mtime_ns, status.st_mtime_ns))
