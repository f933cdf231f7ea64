"""Lays a root file system of shared trees into a bundle: as one overlay, or as one for each top directory.

What a container changes lies on its node in either case, in one directory ``u`` as if there were one overlay.
"""

import os
import stat
from typing import TYPE_CHECKING

from actors.oci.id_maps import seen_as
from actors.oci.overlay import lower_option, overlay_mounts
from actors.staging.files import make_directory
from actors.staging.images.entry import read_record
from actors.staging.loglevel import Log
from actors.staging.node_streams import programs_directory
from actors.staging.root_plan import Root, RootPlan
from actors.staging.tree.copy import remove_tree

from .mount_points import make_mount_points
from .node_programs import NodePrograms, ids_text
from .top_directories import lay_ground, tops

if TYPE_CHECKING:
    from actors.staging.images.stack import Stack


def lay_one(plan: RootPlan, log: Log, *, volatile: bool) -> Root | None:
    """One overlay, which a hook puts over the root; ``None`` if its layers cannot be written down."""
    # Only to be mounted over: everybody may reach it, and a link in the bundle, which runc refuses, is not needed.
    ground = f"{plan.draft.work}/rootfs"
    make_directory(ground, 0o755)
    stack = _stack(plan, ground, log)
    lower = lower_option(_on_node(plan, path) for path in (*stack.own, *stack.trees))
    if lower is None:
        _take_back(plan, ground)
        return None
    place = "" if plan.creation.readonly and not plan.hooked else _changes(plan)
    status = os.lstat(plan.creation.rootfs)
    owner = _in_container(status, plan) if plan.owners else "0:0"
    mode = f"{stat.S_IMODE(status.st_mode):o} {owner}"
    _programs(plan, place).for_hook(f"{plan.draft.home}/rootfs", lower, mode, volatile=volatile)
    return Root("overlay", several_owners=_several_owners(stack), trees=stack.origin)


def lay_each(plan: RootPlan, log: Log, *, volatile: bool) -> Root | None:
    """One for each top directory, mounted by the runtime; ``None`` if their layers cannot be written down.

    For what is writable: a tree serves whoever only reads.
    """
    creation = plan.creation
    ground = f"{plan.draft.content}/rootfs"
    skipped = lay_ground(creation.rootfs, ground, owners=plan.owners)
    stack = _stack(plan, ground, log)
    found = tops(creation.rootfs, (*stack.own, *stack.trees))
    place = _changes(plan)
    layers = ((top.name, [_on_node(plan, path) for path in top.layers]) for top in found)
    mounts = overlay_mounts(layers, place, volatile=volatile)
    if mounts is None:
        _take_back(plan, ground)
        return None
    names = tuple(top.name for top in found)
    _programs(plan, place).for_prolog(creation.rootfs, names, owners=plan.owners)
    several = _several_owners(stack)
    return Root("overlays", mounts=mounts, tops=names, skipped=skipped, several_owners=several, trees=stack.origin)


def _stack(plan: RootPlan, ground: str, log: Log) -> "Stack":
    from actors.staging.images.stack import shared_stack  # hashlib takes 3 ms

    rootfs = plan.creation.rootfs
    mode = plan.draft.rights.content
    stack = shared_stack(
        plan.creation, plan.draft.work, f"{plan.draft.content}/own", log, owners=plan.owners, mode=mode
    )
    mounts = [{**mount, "source": _made(plan, str(mount.get("source", "")))} for mount in plan.mounts]
    make_mount_points(rootfs, ground, stack.own[0], mounts, owners=plan.owners)
    return stack


def _take_back(plan: RootPlan, ground: str) -> None:
    for path in (ground, f"{plan.draft.content}/own"):
        remove_tree(path)


def _changes(plan: RootPlan) -> str:
    creation = plan.creation
    return f"{creation.settings.staging.changes}/.scrun-{creation.caller.uid}-{creation.cookie}"


def _programs(plan: RootPlan, place: str) -> NodePrograms:
    programs = NodePrograms(programs_directory(plan.draft.content))
    programs.install(place, ids_text(*plan.ids), keep=plan.changes)
    return programs


def _several_owners(stack: "Stack") -> bool:
    return any(read_record(os.path.dirname(tree)).several_owners for tree in stack.trees)


def _in_container(status: os.stat_result, plan: RootPlan) -> str:
    """The owner of a file here, as the container has it; root for whoever it has no id for."""
    ids = (seen_as(id_map, number) for id_map, number in zip(plan.inner, (status.st_uid, status.st_gid), strict=True))
    return ":".join(str(number) for number in ids)


def _made(plan: RootPlan, path: str) -> str:
    """Where something of the bundle is before it has its own name."""
    return path.replace(f"{plan.draft.final}/", f"{plan.draft.content}/", 1)


def _on_node(plan: RootPlan, path: str) -> str:
    """Where it will be."""
    return path.replace(f"{plan.draft.content}/", f"{plan.draft.final}/", 1)
