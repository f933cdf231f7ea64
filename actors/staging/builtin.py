"""The stager that is used when the site has no scrun.lua.

A staged container is ``STAGING/ID~COOKIE/`` with ``config.json``, ``rootfs`` (a copy, or a link to where it is),
``mounts/`` and the entry file. It is made under another name and renamed when it is complete, and renamed again
before it is removed. So stage-in and stage-out may be killed at any instant and run again from the start, and
neither half a copy nor half a removal is ever taken for the user's changes.
"""

import json
import os
from collections.abc import Callable
from typing import Any

from actors.oci.id_maps import IdMap, compose, config_id_map, is_identity, parse_id_map, single, total
from actors.oci.node_config import NodePlan, node_config
from actors.oci.node_mounts import Copy, from_bundle, is_below
from actors.slurm import oci_conf
from actors.staging.tree.copy import copy_source, copy_tree, has_owners, make_room_for_mounts
from proto.errors import StagingError, reason
from proto.life.creation import Creation
from proto.value import Value

from .bundle import (
    PRIVATE,
    Staged,
    container_directory,
    discard,
    make_content,
    make_directory,
    new_directory,
    rights_of,
    staging_directory,
    write_config,
    write_entry,
    write_file,
)
from .commands import Commands
from .filesystem import NETWORK_FILE_SYSTEMS, bind_facts, can_reflink, current_mounts, device_paths, file_system
from .loglevel import Level, Log
from .reach import keeps_owners

_STAGED = "staged.json"
ONE_OWNER = (
    "the staging directory keeps one owner for all files of the image, which has several; a program that changes its "
    "user or gives files away fails there"
)
AUTOREMOVE = "io.podman.annotations.autoremove"
NETWORK = "scrun.network"


class CallerMaps(Value):
    """``/proc/self/uid_map`` and ``gid_map`` of the process that stages, which is in the engine's namespace."""

    uid: str
    gid: str


def caller_maps() -> CallerMaps:
    texts = []
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}", encoding="ascii") as file:
            texts.append(file.read())
    return CallerMaps(*texts)


def container_maps(
    creation: Creation, config: dict[str, Any], caller: CallerMaps, keeps: Callable[[], bool]
) -> tuple[IdMap, IdMap]:
    """Decide which ids the container gets on the node; nothing for a job of root, which needs no map.

    ``full`` is what the engine itself uses: the user's own id and his subordinate ids, which the nodes must know,
    too. ``single`` needs nothing: the user of the container's program is the user, and there is no other.
    ``auto`` is full where that can be had: in an engine's namespace, with a file system that keeps owners.

    Args:
        creation: the container.
        config: its config.json.
        caller: the ids of the namespace in which it is staged.
        keeps: finds out whether the staging directory keeps owners (``reach.keeps_owners``).

    Raises:
        StagingError: ``full`` is demanded where there are no subordinate ids.

    """
    linux = config.get("linux") or {}
    inner = (config_id_map(linux.get("uidMappings") or ()), config_id_map(linux.get("gidMappings") or ()))
    wish = creation.settings.scrun.id_mapping
    if creation.caller.uid == 0 and not creation.caller.namespaced and wish != "single":
        return inner
    outer = (parse_id_map(caller.uid), parse_id_map(caller.gid))
    mapped = not any(is_identity(one) for one in outer) and all(total(one) > 1 for one in outer)
    if mapped and (wish == "full" or (wish == "auto" and keeps())):
        if all(inner):
            return compose(inner[0], outer[0]), compose(inner[1], outer[1])
        return outer
    if wish == "full":
        raise StagingError("id_mapping = full needs an engine that runs in a user namespace with subordinate ids")
    user = (config.get("process") or {}).get("user") or {}
    return single(user.get("uid", 0), creation.caller.uid), single(user.get("gid", 0), creation.caller.gid)


def stage_in(
    creation: Creation,
    config: dict[str, Any],
    run: Commands,
    log: Log,
    caller: CallerMaps | None = None,
) -> Staged:
    """Bring the container to where the nodes see it.

    Raises:
        StagingError: it could not be done; what was begun is removed by ``stage_out``.

    """
    place = staging_directory(creation)
    home = container_directory(creation)
    config = {**config, "mounts": from_bundle(config.get("mounts") or (), creation.bundle)}
    try:
        uid_map, gid_map = container_maps(creation, config, caller or caller_maps(), lambda: keeps_owners(place))
        owners = not uid_map or total(uid_map) > 1
        rights = rights_of(creation, uid_map)
        discard(creation)
        work = new_directory(creation, rights.way)
        content = make_content(work, rights)
        private = creation.annotations.get(NETWORK, "") in {"none", "private"}
        entry = write_entry(content, creation, config)
        plan = NodePlan(
            content=home + content.removeprefix(work),
            uid_map=uid_map,
            gid_map=gid_map,
            entry=entry,
            bind_rules=creation.settings.staging.binds,
            local_prefixes=local_prefixes(creation),
            facts=bind_facts(config.get("mounts") or ()),
            private_network=private,
            device_paths=device_paths((config.get("linux") or {}).get("devices") or ()),
        )
        fitted = node_config(config, plan)
        for note in fitted.notes:
            log(Level.INFO, note)
        mounts = fitted.config["mounts"]
        copied, complete = _stage_rootfs(creation, work, content, log, rights.content, mounts, owners=owners)
        if rights.split:
            os.symlink(f"{PRIVATE}/rootfs", f"{work}/rootfs")  # slurmd takes BUNDLE/rootfs, whatever root.path says
        tree = os.path.realpath(f"{content}/rootfs")
        own = os.stat(tree).st_uid == os.geteuid()  # not a tree of the site's store
        if not owners and own and tree != os.path.realpath(creation.rootfs):
            # For a read-only container this still opens directories of the tree that all containers of the image share.
            make_room_for_mounts(tree, (mount["destination"] for mount in mounts))
        _copy_mounts(content, fitted.copies, run, log, owners=owners)
        write_config(work, fitted.config, rights.config)
        record: dict[str, Any] = {"copied": copied, "skipped": []}
        if copied and not complete:
            from actors.staging.tree.mirror import missing_paths

            record["skipped"] = missing_paths(creation.rootfs, f"{content}/rootfs")
        record["excluded"] = _excluded(config, oci_conf.load(creation.settings.scrun.slurm_conf).mount_spool_dir)
        write_file(f"{work}/{_STAGED}", json.dumps(record).encode("utf-8", "surrogateescape"), 0o600)
        os.rename(work, home)
    except OSError as error:
        raise StagingError(f"staging failed: {error.filename or home}: {reason(error)}") from None
    notice = "" if owners else _notice(creation, config, log)
    return Staged(home, f"{home}/rootfs", bool(entry), notice)


def _notice(creation: Creation, config: dict[str, Any], log: Log) -> str:
    """What of the image is lost where one id is all ids; only a program that begins as root has use for others."""
    if creation.settings.scrun.id_mapping == "single" or not has_owners(creation.rootfs):
        return ""
    log(Level.INFO, ONE_OWNER)
    return "" if ((config.get("process") or {}).get("user") or {}).get("uid") else ONE_OWNER


def stage_out(creation: Creation, log: Log) -> None:
    """Bring changes back where that is wanted, and remove what was staged.

    Raises:
        StagingError: the changes could not be brought back, or something could not be removed.

    """
    home = container_directory(creation)
    failure = ""
    try:
        with open(f"{home}/{_STAGED}", encoding="utf-8") as file:
            record = json.load(file)
    except (OSError, ValueError):
        record = {"copied": False}
    if record["copied"] and wants_sync(creation):
        excluded = frozenset((*record["skipped"], *record["excluded"]))
        try:
            from actors.staging.tree.mirror import mirror  # shutil and what it brings: only where there are changes

            count = mirror(f"{home}/rootfs", creation.rootfs, excluded)
            log(Level.VERBOSE, f"{count.copied} files brought back, {count.removed} removed")
            if count.failed:
                failure = f"changes could not be brought back: {count.failed}, the first: {count.failure}"
        except OSError as error:
            failure = f"changes could not be brought back: {error.filename}: {reason(error)}"
    discard(creation)
    if failure:
        raise StagingError(failure)


def wants_sync(creation: Creation) -> bool:
    """Whether the container's changes matter after its end."""
    removed_anyway = creation.annotations.get(AUTOREMOVE, "").upper() == "TRUE"
    return creation.settings.staging.sync_back and not creation.readonly and not removed_anyway


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


def decide_mode(wish: str, file_system_type: str) -> str:
    """Whether a root file system is used where it is (``shared``) or copied (``copy``).

    What is neither known to be a network file system nor wished otherwise is copied: an overlay is mounted here
    only, and a local disk is another one on the node.
    """
    if wish != "auto":
        return wish
    return "shared" if file_system_type in NETWORK_FILE_SYSTEMS else "copy"


def _stage_rootfs(
    creation: Creation,
    work: str,
    content: str,
    log: Log,
    directory_mode: int,
    mounts: list[dict[str, Any]],
    *,
    owners: bool,
) -> tuple[bool, bool]:
    """Put ``rootfs`` into place; return whether it is a copy of the container's own, and whether it is complete."""
    source = creation.rootfs
    target = f"{content}/rootfs"
    if not os.path.isdir(source):
        raise StagingError(f"the root file system {source} is not there")
    mode = decide_mode(creation.settings.staging.mode, file_system(source, current_mounts()))
    log(Level.VERBOSE, f"staging mode: {mode}")
    if mode == "shared":
        # crun accepts a link here and runc does not; slurmd looks nowhere else.
        os.symlink(os.path.realpath(source), target)
        return False, True

    def make(path: str) -> bool:
        return copy_tree(source, path, log, owners=owners)

    cheap = can_reflink(content)
    if not creation.readonly and not cheap:
        return True, _complete(make, target)
    from actors.staging.images.publish import can_be_read_only
    from actors.staging.images.shared import shared_tree  # hashlib takes 3 ms

    def serves(tree: str) -> bool:
        return creation.readonly and can_be_read_only(tree, mounts)

    tree = shared_tree(creation, source, work, log, owners=owners, serves=serves, mode=directory_mode).path
    if creation.readonly:
        os.symlink(tree, target)
        return False, True
    _complete(lambda path: copy_tree(tree, path, log, owners=owners), target)
    # The cached copy may be incomplete itself: compare with the original.
    return True, False


def _complete(make: Callable[[str], bool], target: str) -> bool:
    complete = make(f"{target}.new")
    os.rename(f"{target}.new", target)
    return complete


def _copy_mounts(home: str, copies: tuple[Copy, ...], run: Commands, log: Log, *, owners: bool) -> None:
    make_directory(f"{home}/mounts", 0o755)
    for copy in copies:
        if is_below(home, os.path.realpath(copy.source)):
            raise StagingError(f"{copy.source} cannot be copied for the nodes: the staging directory is in it")
        copy_source(run, copy.source, f"{home}/mounts/{copy.index}", log, owners=owners)


def _excluded(config: dict[str, Any], spool: str) -> list[str]:
    """Mount points: the copy has an empty file or directory there, the original something of its own, or nothing.

    Args:
        config: config.json.
        spool: where slurmd mounts a directory of its own; /var/run is /run in most images.

    """
    found = [mount.get("destination", "/") for mount in config.get("mounts") or ()]
    found += [spool, spool.replace("/var/run/", "/run/", 1)]
    return [os.path.normpath(path).strip("/") for path in found]
