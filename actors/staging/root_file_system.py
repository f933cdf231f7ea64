"""How a container gets its root file system on the node.

=========  =========================================================================================================
overlay    an overlay of the image's shared trees, with its changes on the node's own disk; read-only without these
tree       read-only, in a tree that all containers of the image with the same mounts share
copy       a copy of its own
shared     where it is, because it is on a shared file system already
=========  =========================================================================================================
"""

import os
from collections.abc import Iterable
from typing import Any, Literal

from actors.oci.id_maps import IdMap
from actors.oci.overlay import Top, overlay_mounts
from actors.slurm import oci_conf
from actors.slurm.step_options import runs_once
from actors.staging.tree.copy import copy_tree, make_room_for_mounts, remove_tree
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import Value

from .bundle import Rights, staging_directory
from .commands import Commands
from .filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from .loglevel import Level, Log
from .overlay.ground import lay_ground
from .overlay.kinds import RUNTIMES, Kinds, Needs, runtime_of
from .overlay.layers import tops
from .overlay.mount_points import make_mount_points, resolve
from .overlay.node_programs import NodePrograms, ids_text

Way = Literal["overlay", "tree", "copy", "shared"]
PROGRAMS = "node"
"""Directory of the node's programs in the bundle's content."""


class Root(Value):
    """A root file system that is staged.

    Attributes:
        way: see the module.
        mounts: what config.json needs before all other mounts.
        programs: whether the node's programs are beside it.
        overlays: names of the top directories that overlays lie on.
        complete: whether a copy has all that the original has.

    """

    way: Way
    mounts: tuple[dict[str, Any], ...] = ()
    programs: bool = False
    overlays: tuple[str, ...] = ()
    complete: bool = True


class RootPlan(Value):
    """What it is staged by.

    Attributes:
        creation: the container.
        work: directory that the bundle is made in, which is its user of shared trees.
        content: directory in it for ``rootfs``.
        place: where ``content`` will be.
        rights: who may reach it.
        owners: whether files keep their owners.
        ids: of the container's ids on the node, see ``ids_text``.
        mounts: of config.json, those of the root file system apart.
        privileged: whether the container may mount what it likes.
        nodes: of the job, as Slurm writes them; empty if unknown.
        changes: whether its changes are wanted at its end.

    """

    creation: Creation
    work: str
    content: str
    place: str
    rights: Rights
    owners: bool
    ids: tuple[IdMap, IdMap]
    mounts: tuple[dict[str, Any], ...]
    privileged: bool
    nodes: str
    changes: bool


def decide_mode(wish: str, file_system_type: str) -> str:
    """Whether a root file system is used where it is (``shared``) or not.

    What is neither known to be a network file system nor wished otherwise is not: an overlay is mounted here only, and
    a local disk is another one on the node.
    """
    if wish != "auto":
        return wish
    return "shared" if file_system_type in NETWORK_FILE_SYSTEMS else "overlay"


def stage_root(plan: RootPlan, run: Commands, log: Log) -> Root:
    """Put ``rootfs`` into place.

    Raises:
        StagingError: it is not there, or could not be staged.

    """
    creation = plan.creation
    source = creation.rootfs
    if not os.path.isdir(source):
        raise StagingError(f"the root file system {source} is not there")
    mode = decide_mode(creation.settings.staging.mode, file_system(source, current_mounts()))
    if mode == "shared":
        # crun accepts a link here and runc does not; slurmd looks nowhere else.
        os.symlink(os.path.realpath(source), f"{plan.content}/rootfs")
        return Root("shared")
    if mode == "overlay":
        why = _obstacle(plan, run, log)
        if not why:
            root = _overlay(plan, log)
            if root:
                return root
            why = "its directories have names, or are so many, that a mount's options cannot take them"
        log(Level.INFO if not creation.readonly else Level.VERBOSE, f"no overlay: {why}")
    if creation.readonly and not plan.privileged:
        os.symlink(_tree(plan, log, _missing(source, plan.mounts)), f"{plan.content}/rootfs")
        return Root("tree")
    target = f"{plan.content}/rootfs"
    complete = copy_tree(source, f"{target}.new", log, owners=plan.owners)
    os.rename(f"{target}.new", target)
    if not plan.owners:
        make_room_for_mounts(target, (mount["destination"] for mount in plan.mounts))
    return Root("copy", complete=complete)


def _obstacle(plan: RootPlan, run: Commands, log: Log) -> str:
    """Why this container cannot have an overlay; nothing if it can."""
    creation = plan.creation
    scrun = creation.settings.scrun
    if scrun.scheduler == "local":
        return "the scheduler is local"
    if not plan.nodes or set(plan.nodes) & set(",["):
        return "the job has several nodes, whose containers share one root file system"
    if not creation.readonly and not runs_once(creation.settings.job):
        return "the container has several tasks, which share one root file system"
    if not creation.readonly and plan.rights.content & 0o011:
        return "the user's own id is none of the container's"
    runtime = runtime_of(oci_conf.load(scrun.slurm_conf))
    if runtime not in RUNTIMES:
        return f"{runtime or 'the runtime of oci.conf'} is not known to mount one"
    kinds = Kinds(staging_directory(creation))
    verdict = kinds.ask(plan.nodes, Needs(runtime, creation.settings.staging.changes, _ids(plan)), run, log)
    return "" if verdict.works else verdict.why


def _ids(plan: RootPlan) -> str:
    return ids_text(*plan.ids).partition("\n")[0]


def _overlay(plan: RootPlan, log: Log) -> Root | None:
    from actors.staging.images.stack import shared_stack  # hashlib takes 3 ms

    creation = plan.creation
    ground, own = f"{plan.content}/rootfs", f"{plan.content}/own"
    stack = shared_stack(creation, plan.work, own, log, owners=plan.owners, mode=plan.rights.content)
    os.mkdir(f"{plan.content}/empty", 0o700)
    lay_ground(creation.rootfs, ground, owners=plan.owners)
    here = [{**mount, "source": _made(plan, str(mount.get("source", "")))} for mount in plan.mounts]
    make_mount_points(creation.rootfs, ground, stack.own[0], here, owners=plan.owners)
    found = tops(creation.rootfs, (*stack.own, *stack.trees))
    staging = creation.settings.staging
    directory = "" if creation.readonly else f"{staging.changes}/.scrun-{creation.caller.uid}-{creation.cookie}"
    mounts = overlay_mounts([_moved(top, plan) for top in found], directory, f"{plan.place}/empty")
    if mounts is None:
        for path in (ground, own, f"{plan.content}/empty"):
            remove_tree(path)
        return None
    if directory:
        programs = NodePrograms(f"{plan.content}/{PROGRAMS}")
        own = creation.settings.job.get("task-prolog", "")
        programs.install(
            directory, ids_text(*plan.ids), keep=plan.changes, task_prolog=own and os.path.join(creation.cwd, own)
        )
        programs.outline(creation.rootfs, found, owners=plan.owners)
    return Root("overlay", tuple(mounts), programs=bool(directory), overlays=tuple(top.name for top in found))


def _moved(top: Top, plan: RootPlan) -> Top:
    """The same, with the paths that the bundle will have."""
    here = f"{plan.content}/"
    return Top(top.name, tuple(path.replace(here, f"{plan.place}/", 1) for path in top.lowers))


def _made(plan: RootPlan, path: str) -> str:
    """Where something of the bundle is before it has its own name."""
    return path.replace(f"{plan.place}/", f"{plan.content}/", 1)


def _tree(plan: RootPlan, log: Log, variant: str = "") -> str:
    from actors.staging.images.shared import shared_tree  # hashlib takes 3 ms

    creation = plan.creation
    mode = plan.rights.content
    shared = shared_tree(creation, creation.rootfs, plan.work, log, owners=plan.owners, mode=mode, variant=variant)
    return shared.path


def _missing(root: str, mounts: Iterable[dict[str, Any]]) -> str:
    """The mount points that a runtime makes in the tree: only containers that have the same ones may share it."""
    destinations = {str(mount.get("destination", "/")) for mount in mounts}
    return "".join(f" {path!r}" for path in sorted(destinations) if resolve(root, path)[1])
