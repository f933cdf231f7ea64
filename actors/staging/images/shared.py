"""Gives a container the tree of its image: one for all containers, complete, on the file system that the nodes see.

Whoever gets it reads it. A mount point that a runtime made in it, or a mode that was changed, would be in all other
containers of the image: it is a lower directory of an overlay, or mounted read-only.
"""

import os
import time
from collections.abc import Callable

from actors.staging.directory import staging_directory
from actors.staging.loglevel import Level, Log
from actors.staging.progress import progress_of
from actors.staging.tree.copy import has_owners
from proto.errors import StagingError, reason
from proto.life.creation import Creation
from proto.life.events import Trees
from proto.value import Value

from .cache import TreeCache, directory_of
from .entry import Record
from .extent import bytes_in
from .identity import Identity, Kind, identify
from .importing import Progress, import_tree
from .memory import ContentMemory
from .store import find

MEMORY = "contents.memory"
"""Name of the memory of hashes in the cache; see ``ContentMemory``."""
FOUND = Trees(found=1)
_ATTEMPTS = 3


class SharedTree(Value):
    """A tree that is shared.

    Attributes:
        path: of the tree; it stays until the user's directory is removed.
        key: which root file system it is.
        foreign: whether its files belong to another user, so that a container's root can only read them, also through
            an overlay: a kernel copies up nothing whose owner has no id in the mount's user namespace.
        origin: how it got there.

    """

    path: str
    key: str
    foreign: bool = False
    origin: Trees = FOUND


class _ChangedError(StagingError):
    """The root file system was changed while it was copied."""


def shared_tree(
    creation: Creation,
    source: str,
    user: str,
    log: Log,
    *,
    owners: bool,
    serves: Callable[[str], bool] = lambda _tree: False,
    mode: int = 0o700,
    progress: Progress | None = None,
    variant: str = "",
) -> SharedTree:
    """The tree of a root file system, imported if it is not there yet.

    Args:
        creation: the container.
        source: its root file system.
        user: the container's own directory in the staging directory: the tree stays as long as that does.
        log: told what an import does, and what could not be copied.
        owners: whether the files keep their owners.
        serves: whether a tree of a site's store will do: one in which a runtime must not make a mount point, and whose
            files may belong to another user.
        mode: of the directories that lead to the tree.
        progress: see ``importing.Progress``; by default the log is told.
        variant: what those who share it have in common besides; a tree in which a runtime makes mount points is only
            for containers that have the same ones.

    Raises:
        StagingError: it could not be made.

    """
    cache, memory = cache_of(creation, mode), _memory_of(creation)
    kind: Kind = "owners" if owners else "single"
    for attempt in range(_ATTEMPTS):
        identity = _identify(source, kind, memory)
        log(Level.VERBOSE, f"root file system {identity.key[:12]}: {_by_what(identity)}")
        stored = _stored(creation.settings.staging.images, identity)
        if stored and serves(stored.path):
            log(Level.VERBOSE, f"its tree is in the site's store: {stored.path}")
            return stored

        def make(tree: str, lock: int, identity: Identity = identity) -> Record:
            tell = progress or progress_of(log, lambda: bytes_in(source))
            done = import_tree(source, tree, owners=owners, progress=tell, keep=(lock,))
            if _identify(source, kind, memory).key != identity.key:
                raise _ChangedError(f"the root file system {source} was changed while it was copied")
            if done.missing:
                log(
                    Level.VERBOSE,
                    f"not all of {source} could be copied: {done.missing} notices, the first: {done.first}",
                )
            log(Level.VERBOSE, f"{done.files} files, {done.size} bytes imported")
            return Record(
                done.size,
                done.files,
                _name(identity, source),
                time.time(),
                done.missing,
                not owners and has_owners(source),
            )

        try:
            key = identity.variant(variant)
            return SharedTree(cache.use(user, key, make), key, origin=cache.trees)
        except _ChangedError:
            if attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError


def tree_of_the_site(creation: Creation, *, owners: bool) -> str:
    """The path of the tree in a site's store, whoever its files belong to; empty if there is none."""
    stores = creation.settings.staging.images
    if not stores:
        return ""
    identity = _identify(creation.rootfs, "owners" if owners else "single", _memory_of(creation))
    stored = _stored(stores, identity)
    return stored.path if stored else ""


def cache_of(creation: Creation, mode: int) -> TreeCache:
    """The user's own cache, with the bounds of scrun.toml."""
    staging = creation.settings.staging
    return TreeCache(
        staging_directory(creation),
        mode,
        maximum_age=staging.cache_age * 86400.0,
        maximum_size=staging.cache_size * 2**30,
    )


def _memory_of(creation: Creation) -> ContentMemory:
    return ContentMemory(os.path.join(directory_of(staging_directory(creation)), MEMORY))


def _stored(stores: tuple[str, ...], identity: Identity) -> SharedTree | None:
    """The tree of a store; a container that was just made has that of its image."""
    path = find(stores, (identity.key, identity.base_key if identity.new else ""))
    return SharedTree(path, identity.key, os.stat(path).st_uid != os.geteuid()) if path else None


def _identify(source: str, kind: Kind, memory: ContentMemory) -> Identity:
    try:
        return identify(source, kind, memory)
    except OSError as error:
        raise StagingError(f"the root file system {source} cannot be read: {reason(error)}") from None


def _by_what(identity: Identity) -> str:
    if not identity.layers:
        return "known by its contents"
    return f"known by {len(identity.layers)} layers and {identity.changes} changes"


def _name(identity: Identity, source: str) -> str:
    return identity.layers[0].token if identity.layers and not identity.contents else source
