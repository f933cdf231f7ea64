"""The trees that a root file system consists of: one for each layer of the engine, or one for all.

A build has a new image after each step, and images have layers in common. With a tree for each layer, only the new
layer is copied. The directories above the layers are the container's own and small; they are not shared.
"""

import os
import time
from functools import partial

from actors.staging.directory import staging_directory
from actors.staging.files import make_directory
from actors.staging.loglevel import Level, Log
from actors.staging.progress import progress_of
from actors.staging.tree.copy import has_owners, remove_tree
from proto.errors import reason
from proto.life.creation import Creation
from proto.life.events import Trees
from proto.value import Value

from .entry import Record
from .extent import bytes_in
from .identity import Kind, layer_key, layers_of
from .importing import import_tree
from .marks import marks_of, put
from .shared import FOUND, cache_of, shared_tree, tree_of_the_site

LOWERS_LIMIT = 3000
"""Bytes of the lower directories' names in one mount's options, which have a page in all (``actors.oci.overlay``)."""
NAME_LIMIT = 100
"""Bytes of one name: path of a tree and a top directory."""


class Stack(Value):
    """What a root file system consists of, the topmost first.

    Attributes:
        own: directories with what is this container's alone; the first may be written into.
        trees: directories of the cache, which stay as long as their user's directory.
        origin: how the trees got there.

    """

    own: tuple[str, ...]
    trees: tuple[str, ...]
    origin: Trees = FOUND


class _NotAloneError(Exception):
    """A layer cannot be kept by itself: the file system refuses its marks, or it has strange ones."""


def shared_stack(creation: Creation, user: str, own: str, log: Log, *, owners: bool, mode: int) -> Stack:
    """The trees of a container's root file system, imported as far as they are not there yet.

    Args:
        creation: the container.
        user: its own directory in the staging directory: the trees stay as long as that does.
        own: directory to make, for ``Stack.own``.
        log: told what an import does, and what could not be copied.
        owners: whether files keep their owners.
        mode: of the directories that lead to the trees.

    Raises:
        StagingError: they could not be made.

    """
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        layers, above = layers_of(creation.rootfs, file.read())
    place = staging_directory(creation)
    make_directory(own, mode)
    # What belongs to somebody else cannot be changed, not even through an overlay.
    if creation.readonly and (stored := tree_of_the_site(creation, owners=owners)):
        log(Level.VERBOSE, f"the tree is in the site's store: {stored}")
        os.mkdir(f"{own}/0", 0o700)
        return Stack((f"{own}/0",), (stored,))
    if layers and len(layers) * (len(place) + NAME_LIMIT) < LOWERS_LIMIT:
        kind: Kind = "owners" if owners else "single"
        makers = {
            layer_key(kind, layer): partial(_make, layer.path, log, owners=owners, which=(number, len(layers)))
            for number, layer in enumerate(layers, start=1)
        }
        try:
            copies = [_copy(path, f"{own}/{number}", log, owners=owners) for number, path in enumerate(above)]
            cache = cache_of(creation, mode)
            trees = cache.use_all(user, makers)
            return Stack(tuple(copies), tuple(trees), cache.trees)
        except _NotAloneError as error:
            log(Level.INFO, f"the layers of the image are kept as one tree: {error}")
            remove_tree(own)
            make_directory(own, mode)
    tree = shared_tree(creation, creation.rootfs, user, log, owners=owners, mode=mode)
    os.mkdir(f"{own}/0", 0o700)
    return Stack((f"{own}/0",), (tree.path,), tree.origin)


def _copy(layer: str, target: str, log: Log, *, owners: bool) -> str:
    _make(layer, log, target, owners=owners)
    return target


def _make(layer: str, log: Log, tree: str, lock: int = -1, *, owners: bool, which: tuple[int, int] = (1, 1)) -> Record:
    try:
        marks = marks_of(layer)
    except OSError as error:
        raise _NotAloneError(f"not all of {layer} can be read: {reason(error)}") from None
    if marks.strange:
        raise _NotAloneError(f"{layer} leans on others")
    keep = (lock,) if lock >= 0 else ()
    done = import_tree(
        layer, tree, owners=owners, progress=progress_of(log, lambda: bytes_in(layer), *which), keep=keep
    )
    try:
        put(tree, marks)
    except OSError as error:
        raise _NotAloneError(f"the staging directory takes no mark of what a layer hides: {reason(error)}") from None
    if done.missing:
        log(Level.VERBOSE, f"not all of {layer} could be copied: {done.missing} notices, the first: {done.first}")
    return Record(done.size, done.files, layer, time.time(), done.missing, not owners and has_owners(layer))
