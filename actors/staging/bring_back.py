"""Brings what a container has changed in its root file system back to the engine's."""

from actors.staging.tree.count import MirrorCount
from proto.errors import StagingError, reason
from proto.life.creation import Creation
from proto.value import Value

from .bundle import content_of
from .commands import Commands
from .loglevel import Level, Log
from .overlay.node_programs import NodePrograms
from .root_plan import PROGRAMS


class Lent(Value):
    """What a container got, as stage-in has noted it.

    Attributes:
        way: see ``root_file_system``.
        excluded: relative paths that are none of its changes.
        tops: names of the top directories that overlays lie on, one on each.
        owners: whether files have their owners there.
        complete: whether a copy has all that the original has.
        since: ctime of a file that was made there when all was complete, in nanoseconds.

    """

    way: str
    excluded: frozenset[str]
    tops: tuple[str, ...]
    owners: bool
    complete: bool
    since: int


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
    content = content_of(bundle)
    programs = NodePrograms(f"{content}/{PROGRAMS}")
    archive = programs.collect(run, log)
    if programs.lost:
        log(Level.ERROR, f"what the container has changed may still lie on the node: {programs.place}")
    if not wanted:
        return ""
    try:
        count = _changes(creation, content, lent, archive)
    except OSError as error:
        return f"changes could not be brought back: {error.filename}: {reason(error)}"
    except StagingError as error:
        return f"changes could not be brought back: {error.sentence}"
    log(Level.VERBOSE, f"{count.copied} files brought back, {count.removed} removed")
    if count.failed:
        return f"changes could not be brought back: {count.failed}, the first: {count.failure}"
    if programs.lost and not archive:
        return f"changes could not be brought back: the node did not give them (they lie in {programs.place} there)"
    return ""


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
