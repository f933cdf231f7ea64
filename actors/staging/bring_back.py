"""Brings what a container has changed in its root file system back to the engine's."""

from collections.abc import Set as AbstractSet

from proto.errors import reason
from proto.life.creation import Creation

from .bundle import content_of
from .commands import Commands
from .loglevel import Level, Log
from .overlay.node_programs import NodePrograms
from .root_file_system import PROGRAMS


def bring_back(
    creation: Creation, bundle: str, excluded: AbstractSet[str], run: Commands, log: Log, *, wanted: bool
) -> str:
    """Clear the node up, and bring changes back if they are wanted.

    Args:
        creation: the container.
        bundle: what was staged.
        excluded: relative paths that are none of its changes.
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
        counts = [mirror(f"{content}/rootfs", creation.rootfs, excluded)]
        if archive:
            from actors.staging.tree.changes import apply_changes

            counts.append(apply_changes(archive, creation.rootfs, excluded))
    except OSError as error:
        return f"changes could not be brought back: {error.filename}: {reason(error)}"
    log(Level.VERBOSE, f"{sum(c.copied for c in counts)} files brought back, {sum(c.removed for c in counts)} removed")
    for count in counts:
        if count.failed:
            return f"changes could not be brought back: {count.failed}, the first: {count.failure}"
    if programs.lost and not archive:
        return f"changes could not be brought back: the node did not give them (they lie in {programs.place} there)"
    return ""
