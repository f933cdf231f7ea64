"""The stager that is used when the site has no scrun.lua.

A staged container is ``STAGING/ID~COOKIE/`` with ``config.json``, ``rootfs`` (a copy, or a link to where it is),
``mounts/`` and the entry file. It is made under another name and renamed when it is complete, and renamed again
before it is removed. So stage-in and stage-out may be killed at any instant and run again from the start, and
neither half a copy nor half a removal is ever taken for the user's changes.
"""

import os
from collections.abc import Callable, Iterable
from typing import Any

from actors.oci.bind_source import from_bundle
from actors.oci.id_maps import IdMap, compose, inner_maps, is_identity, parse_id_map, single, total
from actors.oci.namespaces import own_network
from actors.oci.node_config import NodePlan, is_privileged, node_config, without_variables
from actors.oci.overlay import hooks as overlay_hooks
from actors.oci.streams import merged
from actors.slurm import oci_conf
from proto.errors import StagingError, reason
from proto.life.creation import Creation
from proto.value import Value

from . import lent, mounts, node_streams, slurmd_mount
from .bring_back import bring_back, forget_unfit
from .bundle import (
    PRIVATE,
    Staged,
    container_directory,
    discard,
    entry_of,
    make_content,
    new_directory,
    rights_of,
    staging_directory,
    write_config,
    write_entry,
)
from .commands import Commands
from .filesystem import device_paths
from .gpus import Place, host_request, stage_gpus
from .home import with_home
from .loglevel import Level, Log
from .masks import take_masks
from .overlay.mount_points import behind_links
from .reach import keeps_owners
from .root_file_system import stage_root
from .root_plan import PROGRAMS, RootPlan
from .sources import bind_facts, local_prefixes

ONE_OWNER = (
    "the staging directory keeps one owner for all files of the image, which has several; a program that changes its "
    "user or gives files away fails there"
)
AUTOREMOVE = "io.podman.annotations.autoremove"


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
    inner = inner_maps(config)
    wish = creation.settings.scrun.id_mapping
    if creation.is_roots:
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
    nodes: str = "",
    job_id: int = 0,
) -> Staged:
    """Bring the container to where the nodes see it.

    Raises:
        StagingError: it could not be done; what was begun is removed by ``stage_out``.

    """
    place = staging_directory(creation)
    home = container_directory(creation)
    given = from_bundle(config.get("mounts") or (), creation.bundle)
    config = {**config, "mounts": behind_links(creation.rootfs, given)}
    if process := config.get("process"):
        config["process"] = with_home(process, creation.rootfs)
    request = host_request(config)
    config, masks = take_masks(request.config, creation.rootfs)
    conf = oci_conf.load(creation.settings.scrun.slurm_conf)
    slurmd = slurmd_mount.of(creation, conf, nodes)
    caller = caller or caller_maps()
    try:
        uid_map, gid_map = container_maps(creation, config, caller, lambda: keeps_owners(place))
        owners = not uid_map or total(uid_map) > 1
        rights = rights_of(creation, uid_map)
        discard(creation)
        work = new_directory(creation, rights.way)
        content = make_content(work, rights)
        final = home + content.removeprefix(work)
        entry = entry_of(creation)
        streams = node_streams.streams_of(creation, config, conf, entry, final)
        job = (job_id, nodes)
        places = Place(content, final, f"{home}/rootfs")
        gpus = stage_gpus(creation, config, conf, places, uid_map, job, request.count, run, log)
        config = without_variables(config, gpus.variables)
        if entry:
            write_entry(content, config, streams, null_input=creation.null_input)
        plan = NodePlan(
            content=final,
            uid_map=uid_map,
            gid_map=gid_map,
            entry=entry,
            bind_rules=creation.settings.staging.binds,
            local_prefixes=local_prefixes(creation),
            facts=bind_facts(config.get("mounts") or ()),
            private_network=own_network(creation.annotations),
            device_paths=device_paths((config.get("linux") or {}).get("devices") or ()),
            crun=conf.runs_crun,
        )
        fitted = node_config(config, plan)
        for note in fitted.notes:
            log(Level.INFO, note)
        mounts.stage(work, content, fitted.copies, run, log, owners=owners)
        fitted_mounts = [*fitted.config["mounts"], *masks, *(streams.mounts() if streams else ())]
        fitted_mounts += slurmd_mount.room(slurmd, config.get("mounts") or ())
        root = stage_root(
            RootPlan(
                creation=creation,
                work=work,
                content=content,
                place=final,
                home=home,
                rights=rights,
                owners=owners,
                inner=inner_maps(config),
                ids=(parse_id_map(caller.uid), parse_id_map(caller.gid)) if uid_map and owners else (uid_map, gid_map),
                mounts=(*fitted_mounts, *gpus.points, *({"destination": path} for path in slurmd.paths)),
                privileged=is_privileged(config),
                nodes=nodes,
                changes=wants_sync(creation),
                conf=conf,
                points=gpus.points,
                hooked=gpus.hooked,
            ),
            run,
            log,
        )
        ready = {**fitted.config, "mounts": [*root.mounts, *fitted_mounts]}
        if os.path.exists(f"{work}/rootfs"):
            ready["root"] = {**ready["root"], "path": f"{home}/rootfs"}
        else:
            if not conf.follows_links:
                raise StagingError(
                    f"{place} is on a file system where root is nobody, which needs an overlay or crun in oci.conf: "
                    "runc takes no link as a root"
                )
            os.symlink(f"{PRIVATE}/rootfs", f"{work}/rootfs")  # slurmd takes BUNDLE/rootfs, whatever root.path says
        programs = f"{final}/{PROGRAMS}"
        ours = [node_streams.install(streams, content)] if streams else []
        if root.programs:
            ours.append(overlay_hooks(programs, enters=root.way == "overlay"))
        if gpus.program:
            ours.append(gpus.hooks)
        if ours:
            ready["hooks"] = merged(fitted.config, *ours)
            node_streams.install_prolog(creation, content)
        write_config(work, ready, rights.config)
        excluded = [*root.skipped, *_excluded([*(config.get("mounts") or ()), *gpus.points], slurmd.paths)]
        if not root.complete:
            from actors.staging.tree.mirror import missing_paths

            excluded += missing_paths(creation.rootfs, f"{content}/rootfs")
        lent.note(work, root, excluded, owners=owners)
        os.rename(work, home)
    except OSError as error:
        raise StagingError(f"staging failed: {error.filename or home}: {reason(error)}") from None
    notice = _notice(creation, config, log) if root.several_owners else ""
    return Staged(home, f"{home}/rootfs", bool(entry), notice, programs if ours else "", root.trees)


def _notice(creation: Creation, config: dict[str, Any], log: Log) -> str:
    """What of the image is lost where one id is all ids; only a program that begins as root has use for others."""
    if creation.settings.scrun.id_mapping == "single":
        return ""
    log(Level.INFO, ONE_OWNER)
    return "" if ((config.get("process") or {}).get("user") or {}).get("uid") else ONE_OWNER


def stage_out(creation: Creation, run: Commands, log: Log, nodes: str = "") -> None:
    """Bring changes back where that is wanted, and remove what was staged; what the job's nodes did is learnt from.

    Raises:
        StagingError: the changes could not be brought back, or something could not be removed.

    """
    home = container_directory(creation)
    failure = ""
    if staged := lent.read(home):
        forget_unfit(creation, home, nodes)
        failure = bring_back(creation, home, staged, run, log, wanted=wants_sync(creation))
    failures = [failure, mounts.bring_back(home, log)]  # volumes outlive a container, also one of --rm
    discard(creation)
    if any(failures):
        raise StagingError("; ".join(filter(None, failures)))


def wants_sync(creation: Creation) -> bool:
    """Whether the container's changes matter after its end."""
    removed_anyway = creation.annotations.get(AUTOREMOVE, "").upper() == "TRUE" and _is_engines(creation.rootfs)
    return creation.settings.staging.sync_back and not creation.readonly and not removed_anyway


def _is_engines(rootfs: str) -> bool:
    """Whether it is in the engine's store, where each layer has a name of 64 hexadecimal digits.

    What a user has named with ``--rootfs`` stays, also with ``--rm``.
    """
    return any(len(name) == 64 and not name.strip("0123456789abcdef") for name in rootfs.split("/"))


def _excluded(mounts: Iterable[dict[str, Any]], slurmd: tuple[str, ...]) -> list[str]:
    """Mount points: the copy has an empty file or directory there, the original something of its own, or nothing.

    Args:
        mounts: of config.json, and those of hooks.
        slurmd: where slurmd mounts a directory of its own; /var/run is /run in most images.

    """
    found = [str(mount.get("destination", "/")) for mount in mounts]
    found += [*slurmd, *(path.replace("/var/run/", "/run/", 1) for path in slurmd)]
    return [os.path.normpath(path).strip("/") for path in found]
