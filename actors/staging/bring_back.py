"""Brings what a container has changed in its root file system back to the engine's."""

from proto.errors import reason
from proto.life.creation import Creation
from proto.value import Value

from .bundle import content_of
from .commands import Commands
from .loglevel import Level, Log
from .overlay.node_programs import NodePrograms
from .root_file_system import PROGRAMS


class Lent(Value):
    """What a container got, as stage-in has noted it.

    Attributes:
        excluded: relative paths that are none of its changes.
        overlays: names of the top directories that overlays lie on.
        owners: whether files have their owners there.
        since: ctime of a file that was made there when all was complete, in nanoseconds.

    """

    excluded: frozenset[str]
    overlays: tuple[str, ...]
    owners: bool
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
    from actors.staging.tree.mirror import mirror  # shutil and what it brings: only where there are changes

    try:
        excluded = lent.excluded | set(lent.overlays)
        counts = [mirror(f"{content}/rootfs", creation.rootfs, excluded, lent.since, owners=lent.owners)]
        if archive:
            from actors.staging.tree.changes import apply_changes

            uppers = {name: name for name in lent.overlays}
            counts.append(apply_changes(archive, creation.rootfs, lent.excluded, uppers, owners=lent.owners))
    except OSError as error:
        return f"changes could not be brought back: {error.filename}: {reason(error)}"
    log(Level.VERBOSE, f"{sum(c.copied for c in counts)} files brought back, {sum(c.removed for c in counts)} removed")
    for count in counts:
        if count.failed:
            return f"changes could not be brought back: {count.failed}, the first: {count.failure}"
    if programs.lost and not archive:
        return f"changes could not be brought back: the node did not give them (they lie in {programs.place} there)"
    return ""
