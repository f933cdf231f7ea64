"""Says which root file system a container has: the key under which its tree is kept.

Where the engine's storage is an overlay, its layers say it, and only the small upper directory has to be read, so that
it costs the same for 100 and for 150,000 files. Where there is only a tree (storage driver vfs, fuse-overlayfs,
``--rootfs``), its contents say it. Sizes and times alone never do: some builders give all files one time.
"""

import hashlib
import os
from typing import Literal

from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, unescape
from proto.value import Value

from .contents import hash_root, hash_tree
from .engine_made import is_engine_made
from .memory import ContentMemory
from .overlay import Layer, is_made_anew, layer_at, overlay_at

Kind = Literal["owners", "single"]
"""Whether the files of a tree keep their owners or all belong to one user."""
FORM = "scrun tree 2"
_ON_DISK = frozenset(("btrfs", "ext2", "ext3", "ext4", "f2fs", "xfs", "zfs"))
"""Their inodes and ctimes mean the same after a boot; those of a tmpfs or of FUSE are given out anew."""


class Identity(Value):
    """What a root file system consists of.

    Attributes:
        kind: how the files of its tree belong to whom.
        layers: of the engine, the topmost first; nothing where only the contents tell.
        above: directories over the layers that are the container's own, the topmost first: the upper one of the
            overlay, with what was changed in the container, and the one that docker makes for its mount points.
        changes: number of entries in ``above``.
        contents: hash of what is in ``above``, or of the whole tree where there are no layers; empty for nothing.
        new: whether all that is in ``above`` was put there by the engine before the program began.

    """

    kind: Kind
    layers: tuple[Layer, ...]
    above: tuple[str, ...]
    changes: int
    contents: str
    new: bool = False

    @property
    def key(self) -> str:
        """Of the whole tree."""
        return _key(self.kind, self.layers, self.contents)

    def variant(self, word: str) -> str:
        """Key of a tree that is only for some who have this one; without a word, of the tree itself."""
        return hashlib.sha256(f"{self.key} {word}".encode("utf-8", "surrogateescape")).hexdigest() if word else self.key

    @property
    def base_key(self) -> str:
        """Of the layers only, without what is the container's own; empty where there are none."""
        return _key(self.kind, self.layers, "") if self.layers else ""


def identify(source: str, kind: Kind, memory: ContentMemory) -> Identity:
    """Find out what a root file system is.

    Args:
        source: the root file system, as this process sees it: a rootless engine's overlay is mounted for it alone.
        kind: how its tree is to be made.
        memory: of contents that were hashed before.

    Raises:
        OSError: it cannot be read.

    """
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        mountinfo = file.read()
    owners = kind == "owners"
    layers, above = layers_of(source, mountinfo)
    if layers:
        count, contents = _own(above, layers[0].path, memory, mountinfo, owners=owners)
        new = is_engine_made(above, tuple(layer.path for layer in layers), count)
        return Identity(kind, layers, above, count, contents, new)
    contents, count = hash_tree(source, memory, scope_of(source, mountinfo), owners=owners)
    return Identity(kind, (), (), count, contents)


def layers_of(source: str, mountinfo: str) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """The engine's layers of a root file system, and what is above them; see ``Identity``; nothing if unknown."""
    overlay = overlay_at(source, mountinfo)
    if overlay is None:
        return (), ()
    made_anew = [path for path in overlay.lowers if is_made_anew(path)]
    layers = [layer_at(path) for path in overlay.lowers if path not in made_anew]
    known = tuple(layer for layer in layers if layer)
    if len(known) < len(layers) or any(path not in made_anew for path in overlay.lowers[: len(made_anew)]):
        return (), ()
    return known, tuple(path for path in (overlay.upper, *made_anew) if path)


def layer_key(kind: Kind, layer: Layer) -> str:
    """Of the tree that has one layer alone."""
    return _key(kind, (layer,), "alone")


def scope_of(path: str, mountinfo: str) -> str:
    """Name of the file system of a path for ``ContentMemory``; empty where inodes tell nothing of contents."""
    kind, source, longest = "", "", -1
    here = os.path.realpath(path)
    for line in mountinfo.splitlines():
        words = line.split(" ")
        point = unescape(words[4])
        if len(point) >= longest and (point in {"/", here} or here.startswith(f"{point}/")):
            longest = len(point)
            kind, source = words[words.index("-", 6) + 1 :][:2]
    return f"{kind} {source}" if kind in NETWORK_FILE_SYSTEMS | _ON_DISK else ""


def _own(above: tuple[str, ...], below: str, memory: ContentMemory, mountinfo: str, *, owners: bool) -> tuple[int, str]:
    hashes = [hash_tree(path, memory, scope_of(path, mountinfo), owners=owners) for path in above]
    count = sum(number for _, number in hashes)
    # Nothing is in the upper directory of a container that was just made, and it is itself like the layer's root.
    untouched = not count and all(hash_root(path, owners=owners) == hash_root(below, owners=owners) for path in above)
    return count, "" if untouched else " ".join(text for text, _ in hashes)


def _key(kind: Kind, layers: tuple[Layer, ...], contents: str) -> str:
    words = [FORM, kind, *_maps(kind), *(layer.token for layer in layers), "", contents]
    return hashlib.sha256("\0".join(words).encode("utf-8", "surrogateescape")).hexdigest()


def _maps(kind: Kind) -> list[str]:
    """The ids that owners were written as: another user, or other subordinate ids, make another tree."""
    if kind == "single":
        return []
    texts = []
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}", encoding="ascii") as file:
            texts.append(" ".join(file.read().split()))
    return texts
