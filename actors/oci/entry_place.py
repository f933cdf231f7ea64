"""In which directory of the container the entry file is mounted.

The runtime makes an empty file there to mount it on, and that file must not stay: neither in a tree that other
containers share, nor in a directory of the node's or of the user's. So it is on a file system that the container has
for itself, in memory: the tmpfs of ``/dev``, which every engine mounts, or another one where ``/dev`` is the node's own
(``-v /dev:/dev``).
"""

import os
from collections.abc import Collection, Iterable

from .bind_source import Mount, is_bind, is_read_only
from .entry import DIRECTORY

_SHARED_MEMORY = "/dev/shm"  # noqa: S108 - the container's


def entry_directory(mounts: Iterable[Mount], namespaces: Collection[str]) -> str:
    """Choose the directory.

    Args:
        mounts: of config.json, in their order.
        namespaces: types of those that config.json asks for.

    Returns:
        An absolute path, or nothing if the container has no place for it.

    """
    there = {os.path.normpath(mount.get("destination", "/")): mount for mount in mounts}
    if DIRECTORY not in there or not is_bind(there[DIRECTORY]):
        return DIRECTORY
    return next((path for path, mount in there.items() if _is_own_memory(path, mount, namespaces)), "")


def _is_own_memory(path: str, mount: Mount, namespaces: Collection[str]) -> bool:
    if path == _SHARED_MEMORY and is_bind(mount):
        # An engine's own for the container becomes a tmpfs on the node (``node_mounts``), but for --ipc=host.
        return mount.get("source") != path and "ipc" in namespaces
    return mount.get("type") == "tmpfs" and not is_bind(mount) and not is_read_only(mount)
