"""Brings what a container has changed in its root file system back to the engine's."""

import os

from actors.staging.tree.count import MirrorCount
from proto.errors import StagingError, reason
from proto.life.creation import Creation

from .bundle import content_of
from .commands import Commands
from .directory import container_directory, staging_directory
from .lent import Lent
from .lent import read as read_lent
from .loglevel import Level, Log
from .overlay.node_programs import NodePrograms
from .root_plan import PROGRAMS

AUTOREMOVE = "io.podman.annotations.autoremove"
CHANGED = frozenset(("overlay", "overlays", "copy"))
"""The ways in which there is something to bring back."""


def bring_back(creation: Creation, bundle: str, lent: Lent, run: Commands, log: Log, *, wanted: bool) -> str:
    """Clear the node up, and bring changes back if they are wanted.

    Args:
        creation: the container.
        bundle: what was staged.
        lent: what is in it.
        run: runs a command on the job's node.
        log: is told what was done.
        wanted: whether changes are brought back.

    Returns:
        What could not be brought back, as a sentence, or nothing.

    """
    if lent.way not in CHANGED:
        return ""
    content = content_of(bundle)
    programs = NodePrograms(f"{content}/{PROGRAMS}")
    archive = programs.collect(run, log)
    if programs.lost:
        log(Level.ERROR, f"what the container has changed may still lie on the node: {programs.place}")
    if not wanted:
        return ""
    failure = _carry_out(creation, content, lent, archive, log)
    if not failure and programs.lost and not archive:
        failure = f"the node did not give them (they lie in {programs.place} there)"
    return failure and f"changes could not be brought back: {failure}"


def collect(creation: Creation, run: Commands, log: Log) -> None:
    """Fetch what lies on the node into the bundle."""
    home = container_directory(creation)
    lent = read_lent(home)
    if lent is not None and lent.way in CHANGED:
        NodePrograms(f"{content_of(home)}/{PROGRAMS}").collect(run, log)


def forget_unfit(creation: Creation, bundle: str, node: str) -> None:
    """A node that could not make a root file system is not what is remembered of it."""
    if node and NodePrograms(f"{content_of(bundle)}/{PROGRAMS}").failure:
        from .overlay.kinds import Kinds

        Kinds(staging_directory(creation)).forget(node)


def show(creation: Creation, run: Commands, log: Log) -> str:
    """Bring to the engine what a container that stands still has changed so far; all stays where it is.

    Returns:
        What could not be brought, as a sentence, or nothing.

    """
    home = container_directory(creation)
    lent = read_lent(home)
    unwanted = creation.readonly or not creation.settings.staging.sync_back
    if lent is None or lent.way not in CHANGED or unwanted:
        return ""
    content = content_of(home)
    archive = ""
    if lent.way != "copy":
        archive, why = NodePrograms(f"{content}/{PROGRAMS}").show(run)
        if not archive:
            return f"the node did not show what the container has changed: {why}"
    try:
        failure = _carry_out(creation, content, lent, archive, log)
    finally:
        if archive:
            os.unlink(archive)
    return failure and f"what the container has changed could not be shown: {failure}"


def _carry_out(creation: Creation, content: str, lent: Lent, archive: str, log: Log) -> str:
    try:
        count = _changes(creation, content, lent, archive)
    except OSError as error:
        return f"{error.filename}: {reason(error)}"
    except StagingError as error:
        return error.sentence
    log(Level.VERBOSE, f"{count.copied} files brought back, {count.removed} removed")
    return f"{count.failed}, the first: {count.failure}" if count.failed else ""


def _changes(creation: Creation, content: str, lent: Lent, archive: str) -> MirrorCount:
    # What these bring along is only for those who have changes.
    count = MirrorCount()
    if lent.way in {"copy", "overlays"}:
        from actors.staging.tree.mirror import mirror

        # Beside overlays on the top directories: what was made in / itself.
        excluded = lent.excluded | set(lent.tops)
        rootfs = f"{content}/rootfs"
        count = mirror(rootfs, creation.rootfs, excluded, lent.since, owners=lent.owners, xattrs=lent.complete)
    if archive:
        from actors.staging.tree.changes import apply_changes

        uppers = {name: name for name in lent.tops} if lent.way == "overlays" else None
        count.add(apply_changes(archive, creation.rootfs, lent.excluded, uppers, owners=lent.owners))
    return count


def wants_sync(creation: Creation) -> bool:
    """Whether the container's changes matter after its end."""
    removed_anyway = creation.annotations.get(AUTOREMOVE, "").upper() == "TRUE" and _is_engines(creation.rootfs)
    return creation.settings.staging.sync_back and not creation.readonly and not removed_anyway


def _is_engines(rootfs: str) -> bool:
    """Whether it is in the engine's store, where each layer has a name of 64 hexadecimal digits.

    What a user has named with ``--rootfs`` stays, also with ``--rm``.
    """
    return any(len(name) == 64 and not name.strip("0123456789abcdef") for name in rootfs.split("/"))
