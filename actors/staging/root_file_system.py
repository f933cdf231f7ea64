"""How a container gets its root file system on the node.

=========  =========================================================================================================
overlay    an overlay of the image's shared trees, with its changes on the node's own disk; read-only without these
overlays   one for each top directory, where a hook cannot put one over the root; what is made in ``/`` is in the bundle
tree       read-only, in a tree that all containers of the image with the same mounts share
copy       a copy of its own
shared     where it is, because it is on a shared file system already
=========  =========================================================================================================
"""

import os
from typing import TYPE_CHECKING

from actors.slurm.step_options import runs_once
from actors.staging.images.entry import read_record
from actors.staging.tree.copy import copy_tree, has_owners, make_room
from proto.errors import StagingError

from .commands import Commands
from .directory import staging_directory
from .filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from .loglevel import Level, Log
from .overlay.kinds import Kinds, Needs, Verdict
from .overlay.mount_points import make_mount_points, to_be_made
from .overlay.node_programs import ids_text
from .root_plan import Root, RootPlan

if TYPE_CHECKING:
    from .images.shared import SharedTree


def decide_mode(wish: str, file_system_type: str, *, links: bool) -> str:
    """Whether a root file system is used where it is (``shared``) or not.

    slurmd looks for it in the bundle and nowhere else, so a link leads there, which the node's runtime must follow
    (``links``). What is neither known to be a network file system nor wished otherwise is not: an overlay is mounted
    here only, and a local disk is another one on the node.
    """
    if wish != "auto":
        return wish
    return "shared" if links and file_system_type in NETWORK_FILE_SYSTEMS else "overlay"


def stage_root(plan: RootPlan, run: Commands, log: Log) -> Root:
    """Put ``rootfs`` into place.

    Raises:
        StagingError: it is not there, or could not be staged.

    """
    creation = plan.creation
    source = creation.rootfs
    if not os.path.isdir(source):
        raise StagingError(f"the root file system {source} is not there")
    links = plan.conf.follows_links
    mode = decide_mode(creation.settings.staging.mode, file_system(source, current_mounts()), links=links)
    if mode == "shared":
        if not links:
            raise StagingError('mode = "shared" in [staging] needs crun in oci.conf: runc takes no link as a root')
        os.symlink(os.path.realpath(source), f"{plan.draft.content}/rootfs")
        return Root("shared")
    if mode in {"overlay", "overlays"}:
        root = _overlay(plan, mode, run, log)
        if isinstance(root, Root):
            return root
        log(Level.VERBOSE, f"no overlay: {root}")
    if creation.readonly and not plan.privileged and not plan.hooked and links:
        tree = _tree(plan, log)
        os.symlink(tree.path, f"{plan.draft.content}/rootfs")
        several_owners = read_record(os.path.dirname(tree.path)).several_owners
        return Root("tree", several_owners=several_owners, trees=tree.origin)
    target = f"{plan.draft.content}/rootfs"
    complete = copy_tree(source, f"{target}.new", log, owners=plan.owners)
    os.rename(f"{target}.new", target)
    make_mount_points(source, target, target, plan.points, owners=plan.owners)
    if not plan.owners:
        make_room(target, (mount["destination"] for mount in plan.mounts))
    return Root("copy", complete=complete, several_owners=not plan.owners and has_owners(source))


def _overlay(plan: RootPlan, mode: str, run: Commands, log: Log) -> Root | str:
    """A root file system of shared trees, or why this container cannot have one."""
    if why := _obstacle(plan):
        return why
    kinds = Kinds(staging_directory(plan.creation))
    changes = plan.creation.settings.staging.changes
    verdict = kinds.ask(plan.nodes, Needs(plan.conf.runtime, changes, _ids(plan)), plan.draft.work, run, log)
    if not verdict.works:
        return verdict.why
    why = "mode = overlays in [staging]" if mode == "overlays" else _obstacle_to_a_hook(plan, verdict)
    if why and plan.creation.readonly:
        return why
    from .overlay import lay  # json and others: not for those that are shared

    if why:
        log(Level.VERBOSE, f"no overlay for all, but one for each top directory: {why}")
    too_long = "its trees are too many for the options of a mount, or their names have a character that parts these"
    lay_it = lay.lay_each if why else lay.lay_one
    return lay_it(plan, log, volatile=verdict.volatile) or too_long


def _obstacle(plan: RootPlan) -> str:
    """Why this container cannot have an overlay; nothing if it can."""
    creation = plan.creation
    if creation.settings.scrun.scheduler == "local":
        return "the scheduler is local"
    if not plan.nodes or set(plan.nodes) & set(",["):
        return "the job has several nodes, whose containers share one root file system"
    if not creation.readonly and not runs_once(creation.settings.job):
        return "the container has several tasks, which share one root file system"
    if plan.draft.rights.content & 0o011:
        return "the user's own id is none of the container's"
    return ""


def _obstacle_to_a_hook(plan: RootPlan, verdict: Verdict) -> str:
    """Why no hook can put an overlay over its root; nothing if one can."""
    if not verdict.hooks:
        return "the node's OCI runtime does not take a root file system from a hook"
    if _ids(plan) == "own" and plan.ids[0][0].container:
        return "the one id that the container has is not root's, and no hook can mount then"
    disabled = plan.conf.disabled("createContainer", "poststop")
    return f"DisableHooks in oci.conf has {', '.join(disabled)}" if disabled else ""


def _ids(plan: RootPlan) -> str:
    return ids_text(*plan.ids).partition("\n")[0]


def _tree(plan: RootPlan, log: Log) -> "SharedTree":
    from actors.staging.images.publish import can_be_read_only
    from actors.staging.images.shared import shared_tree  # hashlib takes 3 ms

    source = plan.creation.rootfs

    def serves(tree: str) -> bool:
        return can_be_read_only(tree, plan.mounts)

    return shared_tree(
        plan.creation,
        source,
        plan.draft.work,
        log,
        owners=plan.owners,
        serves=serves,
        mode=plan.draft.rights.content,
        # Only containers that have the same mount points may share what a runtime makes them in.
        variant="".join(f" {path!r}" for path in to_be_made(source, plan.mounts)),
    )
