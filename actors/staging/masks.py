"""Paths of the image that a container shall not see (``maskedPaths``), as mounts.

A runtime hides what it finds in its root directory before its hooks have run, and an image that comes by a hook is not
there yet. What lies on another mount (``/proc``, ``/sys``) it finds.
"""

import os
import stat
from typing import Any

from actors.oci.image_path import resolve

Mount = dict[str, Any]


def take_masks(config: dict[str, Any], root: str) -> tuple[dict[str, Any], list[Mount]]:
    """Make mounts of the masked paths that are the image's own.

    Args:
        config: config.json; it is not changed.
        root: the root file system on this host.

    Returns:
        config.json without these paths, and their mounts: ``/dev/null`` on a file, an empty directory on a directory,
        as crun and runc do it.

    """
    linux = config.get("linux") or {}
    covered = [os.path.normpath(mount.get("destination", "/")) for mount in config.get("mounts") or ()]
    kept, mounts = [], []
    for path in linux.get("maskedPaths") or ():
        there, missing = resolve(root, path)
        place = "/" + "/".join(there)
        if missing or not there or any(place == above or place.startswith(f"{above}/") for above in covered):
            kept.append(path)
        else:
            mounts.append(_mask(root, place))
    if not mounts:
        return config, []
    return {**config, "linux": {**linux, "maskedPaths": kept}}, mounts


def _mask(root: str, place: str) -> Mount:
    if stat.S_ISDIR(os.lstat(root + place).st_mode):
        options = ["ro", "nosuid", "nodev", "noexec", "size=0k"]
        return {"destination": place, "type": "tmpfs", "source": "tmpfs", "options": options}
    return {"destination": place, "type": "bind", "source": os.devnull, "options": ["bind", "rprivate", "ro"]}
