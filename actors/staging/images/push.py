"""Puts the tree of an image into a site's store."""

import os
import time

from proto.errors import StagingError, reason

from .entry import Record
from .identity import Identity, Kind, identify
from .importing import Progress, import_tree
from .memory import ContentMemory
from .publish import add_places, publish_tree
from .store import Store, Stored


def push(store: Store, source: str, name: str, *, owners: bool, progress: Progress) -> Stored:
    """Import a root file system into a store, unless it is there.

    Args:
        store: the store.
        source: the root file system of an image, or any directory.
        name: for the record.
        owners: whether it is for root's containers: then its files keep owners and modes, and only its owner may reach
            it. Else it is for all users, see ``publish``.
        progress: see ``importing.Progress``.

    Raises:
        StagingError: it could not be imported, or has changed meanwhile.

    """
    kind: Kind = "owners" if owners else "single"
    store.open()
    found = _identify(source, kind)

    def make(tree: str, lock: int) -> Record:
        done = import_tree(source, tree, owners=owners, progress=progress, keep=(lock,))
        missing = done.missing
        if _identify(source, kind).key != found.key:
            raise StagingError(f"{name} was changed while it was copied")
        try:
            add_places(tree, docker=any(layer.token.startswith("docker ") for layer in found.layers))
            if not owners:
                missing += publish_tree(tree)
        except OSError as error:
            raise StagingError(f"{tree} cannot be finished: {reason(error)}") from None
        return Record(done.size, done.files, name, time.time(), missing)

    return store.put(found.key, make, private=owners)


def _identify(source: str, kind: Kind) -> Identity:
    try:
        return identify(os.path.realpath(source), kind, ContentMemory(""))
    except OSError as error:
        raise StagingError(f"{source} cannot be read: {reason(error)}") from None
