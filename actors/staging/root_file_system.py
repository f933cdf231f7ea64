"""How a container gets its root file system on the node.

=========  =========================================================================================================
overlay    an overlay of the image's shared trees, with its changes on the node's own disk; read-only without these
tree       read-only, in a tree that all containers of the image with the same mounts share
copy       a copy of its own
shared     where it is, because it is on a shared file system already
=========  =========================================================================================================
"""

import os
import stat
from collections.abc import Iterable
from typing import Any, Literal

from actors.oci.id_maps import IdMap, seen_as
from actors.oci.overlay import lower_option
from actors.slurm.oci_conf import OciConf
from actors.slurm.step_options import runs_once
from actors.staging.images.entry import read_record
from actors.staging.tree.copy import copy_tree, has_owners, make_room_for_mounts, remove_tree
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import Value

from .bundle import Rights, make_directory, staging_directory
from .commands import Commands
from .filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from .loglevel import Level, Log
from .overlay.kinds import Kinds, Needs, runtime_of
from .overlay.mount_points import make_mount_points, resolve
from .overlay.node_programs import Facts, NodePrograms, ids_text

Way = Literal["overlay", "tree", "copy", "shared"]
PROGRAMS = "node"
"""Directory of the node's programs in the bundle's content."""


class Root(Value):
    """A root file system that is staged.

    Attributes:
        way: see the module.
        programs: whether the node's programs are beside it.
        complete: whether a copy has all that the original has.
        several_owners: whether the files of the image have several owners.

    """

    way: Way
    programs: bool = False
    complete: bool = True
    several_owners: bool = False


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
        inner: of the container's ids in the engine's namespace; nothing where they are the same.
        mounts: of config.json, those of the root file system apart.
        privileged: whether the container may mount what it likes.
        nodes: of the job, as Slurm writes them; empty if unknown.
        changes: whether its changes are wanted at its end.
        conf: the site's oci.conf.

    """

    creation: Creation
    work: str
    content: str
    place: str
    rights: Rights
    owners: bool
    ids: tuple[IdMap, IdMap]
    inner: tuple[IdMap, IdMap]
    mounts: tuple[dict[str, Any], ...]
    privileged: bool
    nodes: str
    changes: bool
    conf: OciConf


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
            why = "its trees are too many for the options of a mount, or their names have a character that parts these"
        log(Level.VERBOSE, f"no overlay: {why}")
    if creation.readonly and not plan.privileged:
        tree = _tree(plan, log)
        os.symlink(tree, f"{plan.content}/rootfs")
        return Root("tree", several_owners=read_record(os.path.dirname(tree)).several_owners)
    target = f"{plan.content}/rootfs"
    complete = copy_tree(source, f"{target}.new", log, owners=plan.owners)
    os.rename(f"{target}.new", target)
    if not plan.owners:
        make_room_for_mounts(target, (mount["destination"] for mount in plan.mounts))
    return Root("copy", complete=complete, several_owners=not plan.owners and has_owners(source))


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
    if plan.rights.content & 0o011:
        return "the user's own id is none of the container's"
    if _ids(plan) == "own" and plan.ids[0][0].container:
        return "the one id that the container has is not root's, and only root may mount"
    if disabled := {hook for hook in plan.conf.disabled_hooks if hook.lower() in {"createcontainer", "poststop"}}:
        return f"DisableHooks in oci.conf has {', '.join(sorted(disabled))}"
    runtime = runtime_of(plan.conf)
    kinds = Kinds(staging_directory(creation))
    verdict = kinds.ask(plan.nodes, Needs(runtime, creation.settings.staging.changes, _ids(plan)), run, log)
    return "" if verdict.works else verdict.why


def _ids(plan: RootPlan) -> str:
    return ids_text(*plan.ids).partition("\n")[0]


def _overlay(plan: RootPlan, log: Log) -> Root | None:
    from actors.staging.images.stack import shared_stack  # hashlib takes 3 ms

    creation = plan.creation
    ground, own = f"{plan.content}/rootfs", f"{plan.content}/own"
    make_directory(ground, 0o755)
    stack = shared_stack(creation, plan.work, own, log, owners=plan.owners, mode=plan.rights.content)
    mounts = [{**mount, "source": _made(plan, str(mount.get("source", "")))} for mount in plan.mounts]
    make_mount_points(creation.rootfs, ground, stack.own[0], mounts, owners=plan.owners)
    lower = lower_option((*(f"{plan.place}{path.removeprefix(plan.content)}" for path in stack.own), *stack.trees))
    if lower is None:
        for path in (ground, own):
            remove_tree(path)
        return None
    staging = creation.settings.staging
    place = "" if creation.readonly else f"{staging.changes}/.scrun-{creation.caller.uid}-{creation.cookie}"
    status = os.lstat(creation.rootfs)
    NodePrograms(f"{plan.content}/{PROGRAMS}").install(
        Facts(
            root=f"{plan.place}/rootfs",
            lower=lower,
            place=place,
            mode=stat.S_IMODE(status.st_mode),
            owner=_in_container(status, plan) if plan.owners else "0:0",
            ids=ids_text(*plan.ids),
            keep=plan.changes,
        )
    )
    several = any(read_record(os.path.dirname(tree)).several_owners for tree in stack.trees)
    return Root("overlay", programs=True, several_owners=several)


def _in_container(status: os.stat_result, plan: RootPlan) -> str:
    """The owner of a file here, as the container has it; root for whoever it has no id for."""
    ids = (seen_as(id_map, number) for id_map, number in zip(plan.inner, (status.st_uid, status.st_gid), strict=True))
    return ":".join(str(number) for number in ids)


def _made(plan: RootPlan, path: str) -> str:
    """Where something of the bundle is before it has its own name."""
    return path.replace(f"{plan.place}/", f"{plan.content}/", 1)


def _tree(plan: RootPlan, log: Log) -> str:
    from actors.staging.images.publish import can_be_read_only
    from actors.staging.images.shared import shared_tree  # hashlib takes 3 ms

    source = plan.creation.rootfs

    def serves(tree: str) -> bool:
        return can_be_read_only(tree, plan.mounts)

    return shared_tree(
        plan.creation,
        source,
        plan.work,
        log,
        owners=plan.owners,
        serves=serves,
        mode=plan.rights.content,
        variant=_missing(source, plan.mounts),
    ).path


def _missing(root: str, mounts: Iterable[dict[str, Any]]) -> str:
    """The mount points that a runtime makes in the tree: only containers that have the same ones may share it."""
    destinations = {str(mount.get("destination", "/")) for mount in mounts}
    return "".join(f" {path!r}" for path in sorted(destinations) if resolve(root, path)[1])
