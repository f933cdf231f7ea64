"""Looks at the sources of a container's mounts, and refuses, before a job is asked for, what no node could have."""

import os
import stat
from collections.abc import Iterable
from typing import Any

from actors.oci.bind_source import BindFact, file_kind, from_bundle, is_below, is_bind, lower_directories
from actors.oci.copies import Copy
from actors.oci.node_mounts import MountRules, node_mounts
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import replace

from . import place
from .filesystem import MEMORY, current_mounts, file_system
from .reach import place_of
from .record import entries

MIB = 1 << 20
_BLOCK = 512
FILES_LIMIT = 200_000
"""Files of one source that is copied and brought back: each is noted, with 100 bytes."""


def local_prefixes(creation: Creation) -> tuple[str, ...]:
    """Directories that belong to this host or to the engine: no node has their contents."""
    return (
        creation.bundle,
        "/run",
        "/var/run",
        f"/tmp/podman-run-{creation.caller.uid}",  # noqa: S108 - podman's, without a run directory
        f"/tmp/storage-run-{creation.caller.uid}",  # noqa: S108
        f"/tmp/containers-user-{creation.caller.uid}",  # noqa: S108
        "/var/lib/docker/containers",
    )


def bind_facts(mounts: Iterable[dict[str, Any]]) -> dict[str, BindFact]:
    """Look up what ``node_mounts`` has to know of the sources."""
    table = current_mounts()
    mounted = place.current()
    facts: dict[str, BindFact] = {}
    for mount in mounts:
        sources = [str(mount.get("source", ""))] if is_bind(mount) else []
        if mount.get("type") == "overlay":
            sources = lower_directories(mount)
        for source in sources:
            path = os.path.normpath(source)
            try:
                status = os.stat(path)
                kind = file_system(path, table)
                capacity = _capacity(path) if kind in MEMORY else 0
                where, hidden = place.place_of(os.path.realpath(path), mounted)
                real = os.path.realpath(where or path)
                what = file_kind(status.st_mode)
                facts[path] = BindFact(what, kind, capacity, where, hidden, real, status.st_dev)
                if where:
                    facts.setdefault(where, replace(facts[path], place="", hidden=""))
            except (OSError, ValueError):
                facts[path] = BindFact()
    return facts


def _capacity(path: str) -> int:
    status = os.statvfs(path)
    return status.f_blocks * status.f_frsize


def check(creation: Creation, config: dict[str, Any]) -> list[Copy]:
    """Refuse a container whose mounts could not go to a node, before a job is asked for.

    Returns:
        The user's own files and directories that are to be copied for it.

    Raises:
        StagingError: a mount has a source that no node can have, or one to be brought back that is too large.

    """
    mounts = from_bundle(config.get("mounts") or (), creation.bundle)
    namespaces = frozenset(str(entry.get("type")) for entry in (config.get("linux") or {}).get("namespaces") or ())
    rules = MountRules(
        content=creation.bundle,
        uid_map=(),
        gid_map=(),
        namespaces=namespaces,
        bind_rules=creation.settings.staging.binds,
        local_prefixes=local_prefixes(creation),
        facts=bind_facts(mounts),
    )
    _, copies, _ = node_mounts(mounts, rules)
    theirs = [copy for copy in copies if copy.users]
    staging = os.path.realpath(place_of(creation.settings, creation.caller.home))
    for copy in theirs:
        if is_below(staging, os.path.realpath(copy.source)):
            raise StagingError(
                f"{copy.source}, which is wanted as {copy.destination}, is on this host only and cannot be copied for "
                "the nodes, since the staging directory is in it; mount a directory in it that is smaller"
            )
        if copy.returns:
            _weigh(copy, creation.settings.staging.volume_limit)
    return theirs


def _weigh(copy: Copy, limit: int) -> None:
    """Look at the sizes of a source's files.

    Raises:
        StagingError: they are more than is carried to a node and back.

    """
    size = 0
    for files, (_, status) in enumerate(entries(copy.source)):
        if stat.S_ISREG(status.st_mode):
            size += min(status.st_size, status.st_blocks * _BLOCK)  # holes are not carried
        if limit and (size > limit * MIB or files > FILES_LIMIT):
            what = f"more than {limit} MiB" if size > limit * MIB else f"more than {FILES_LIMIT} files"
            raise StagingError(
                f"{copy.source}, which is wanted as {copy.destination}, is on this host only and has {what}, too much "
                "to be carried to a node and back; put it on a file system that the nodes have, mount it read-only, "
                "or, if the nodes have the same there, say keep for it in [staging.binds] of scrun.toml (or raise "
                "volume_limit of [staging])"
            )
