"""What the source of a bind mount is: what this host knows of it, and whose it is."""

import os
import re
import stat
from collections.abc import Iterable
from typing import Any, Literal

from proto.value import Value

Mount = dict[str, Any]
Kind = Literal["file", "directory", "device", "socket", "pipe", "missing"]

# On every host, and never the same file on two of them.
LOCAL_FILE_SYSTEMS = frozenset(("tmpfs", "ramfs", "overlay", "fuse.fuse-overlayfs"))
_KINDS: tuple[tuple[int, Kind], ...] = (
    (stat.S_IFREG, "file"),
    (stat.S_IFDIR, "directory"),
    (stat.S_IFSOCK, "socket"),
    (stat.S_IFIFO, "pipe"),
)
# podman's STORAGE/overlay-containers/ID, docker's containers/ID; a volume without a name has such an id, too, but is
# below "volumes".
_ENGINES = re.compile(r"containers/[0-9a-f]{64}(/|$)")


class BindFact(Value):
    """What is known of a bind mount's source on this host.

    Attributes:
        kind: what it is.
        file_system: type of the file system that it is on, empty if unknown.
        capacity: bytes of that file system if it is a tmpfs, else 0.
        place: where this host has the same under another path, if the path of config.json is one of the engine's.
        hidden: what is mounted there, for a sentence, if this host has it under no other path.
        real: that path without links; empty if it is not known.
        device: number of the file system's device.

    """

    kind: Kind = "missing"
    file_system: str = ""
    capacity: int = 0
    place: str = ""
    hidden: str = ""
    real: str = ""
    device: int = 0


def is_engines(source: str) -> bool:
    """Whether the engine has made the source for this one container: ``hosts``, ``.containerenv``, secrets."""
    return bool(_ENGINES.search(source))


def is_read_only(mount: Mount) -> bool:
    """Whether the program cannot write there; of several options the last counts."""
    words = [word for word in mount.get("options") or () if word in {"ro", "rro", "rw"}]
    return bool(words) and words[-1] != "rw"


def is_bind(mount: Mount) -> bool:
    return mount.get("type") == "bind" or bool({"bind", "rbind"} & set(mount.get("options") or ()))


def is_below(path: str, prefix: str) -> bool:
    prefix = prefix.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def from_bundle(mounts: Iterable[Mount], bundle: str) -> list[Mount]:
    """The mounts with absolute sources: a relative one of a bind mount begins at the bundle, which the node has not."""
    return [
        {**mount, "source": os.path.normpath(os.path.join(bundle, mount.get("source", "")))}
        if is_bind(mount)
        else mount
        for mount in mounts
    ]


def lower_directories(mount: Mount) -> list[str]:
    r"""The lower directories of an overlay mount, the topmost first; ``\:`` is a colon of a name (overlayfs.rst)."""
    words = [word[9:] for word in mount.get("options") or () if word.startswith("lowerdir=")]
    return [part.replace("\\:", ":") for part in re.split(r"(?<!\\):", words[-1]) if part] if words else []


def file_kind(mode: int) -> Kind:
    return next((kind for form, kind in _KINDS if stat.S_IFMT(mode) == form), "device")
