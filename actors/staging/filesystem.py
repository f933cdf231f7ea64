"""Looks at the file systems of this host: what a path is on, and what can be done there."""

import os
from collections.abc import Iterable
from typing import Any

# Other machines see them under the same path, if the site mounts them there; none of them is on a local disk.
NETWORK_FILE_SYSTEMS = frozenset((
    "nfs", "nfs4", "lustre", "gpfs", "beegfs", "beegfs_nodev", "ceph", "fuse.ceph-fuse", "9p", "cifs", "smb3", "smbfs",
    "pvfs2", "orangefs", "panfs", "wekafs", "daos", "fuse.daos", "afs", "glusterfs", "fuse.glusterfs", "gfs2", "ocfs2",
    "virtiofs", "fuse.sshfs", "fuse.juicefs", "quobyte", "fuse.quobyte", "vastnfs",
))  # fmt: skip
LAYERS = frozenset(("overlay", "fuse.fuse-overlayfs"))
"""As what engines mount the layers of an image."""
MEMORY = frozenset(("tmpfs", "ramfs"))


def mount_table(text: str) -> dict[str, str]:
    """Read ``/proc/self/mountinfo``: mount point to file system type; of several on one point, the topmost."""
    table: dict[str, str] = {}
    for line in text.splitlines():
        words = line.split()
        separator = words.index("-", 6)
        table[unescape(words[4])] = words[separator + 1]
    return table


def file_system(path: str, table: dict[str, str]) -> str:
    """The type of the file system that holds a path, empty if unknown."""
    here = os.path.realpath(path)
    while True:
        if here in table:
            return table[here]
        if here == "/":
            return ""
        here = os.path.dirname(here)


def current_mounts() -> dict[str, str]:
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return mount_table(file.read())


def device_paths(devices: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Find the devices of ``linux.devices`` by their numbers: a container may have them under other names."""
    found: dict[str, str] = {}
    for device in devices:
        kind = "block" if device.get("type") == "b" else "char"
        try:
            with open(f"/sys/dev/{kind}/{device['major']}:{device['minor']}/uevent", encoding="utf-8") as file:
                names = [line[8:].strip() for line in file if line.startswith("DEVNAME=")]
        except (OSError, KeyError):
            continue
        if names:
            found[str(device.get("path"))] = f"/dev/{names[0]}"
    return found


def unescape(word: str) -> str:
    """A word of mountinfo, which has octal numbers in place of white space, backslashes and others (proc(5))."""
    first, *others = word.split("\\")
    return first + "".join(chr(int(each[:3], 8)) + each[3:] for each in others)
