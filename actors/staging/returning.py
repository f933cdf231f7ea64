"""Puts what a program changed in a copied source in its place on this host."""

import os
import stat
from typing import Any

from actors.staging.tree.count import MirrorCount
from actors.staging.tree.mirror import mirror
from proto.errors import reason
from proto.host.paths import fd_path
from proto.host.trees import remove_tree

from . import record
from .in_place import write_into
from .loglevel import Level, Log
from .record import Changes

# The mirror is made for root file systems, in whose top these have contents of the node's.
_OWN_RULES = ("dev", "proc", "sys")


def bring(taken: dict[str, Any], copy: str, log: Log) -> str:
    """Bring the changes of one copy back.

    Args:
        taken: what was taken down at stage-in (``mounts.stage``).
        copy: the copy that the program has used.
        log: told how much was brought back.

    Returns:
        What could not be done, or nothing.

    """
    source = taken["source"]
    if not os.path.lexists(copy):
        return ""  # kept, and told of, by one who was killed before the bundle was removed
    try:
        held = os.open(source, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        return reason(error) if record.compare(taken["record"], copy).active else ""
    try:
        return _bring(taken, copy, held, log)
    except OSError as error:
        return f"{error.filename or source}: {reason(error)}"
    finally:
        os.close(held)


def _bring(taken: dict[str, Any], copy: str, held: int, log: Log) -> str:
    """The same, with the source held fast: who else may write above it could put a link in its place meanwhile."""
    source = taken["source"]
    status = os.fstat(held)
    directory = stat.S_ISDIR(status.st_mode)
    path = f"{fd_path(held)}/." if directory else fd_path(held)
    kind = stat.S_IFMT(taken["record"][""][0])  # an inode number may be another one's by now
    same = (kind, taken["device"], taken["file"]) == (stat.S_IFMT(status.st_mode), status.st_dev, status.st_ino)
    changes = record.compare(taken["record"], copy, path if same else "")
    if not changes.active:
        return ""
    if not same:
        return "it is not any more what the program began with"
    if not directory:
        write_into(copy, path)
        log(Level.VERBOSE, f"{source}: brought back")
        return ""
    count = bring_tree(changes, copy, path, owners=taken["owners"])
    log(Level.VERBOSE, f"{source}: {count.copied} files brought back, {count.removed} removed")
    return f"{count.failed} files, the first: {count.failure}" if count.failed else ""


def bring_tree(changes: Changes, copy: str, original: str, *, owners: bool) -> MirrorCount:
    """Bring the changes of a directory back.

    Args:
        changes: what is to be brought back.
        copy: top of the copy.
        original: top of what it was copied from.
        owners: whether the copy had owners and extended attributes of the original.

    Raises:
        OSError: one of the two cannot be read at all.

    """
    count = mirror(copy, original, changes.spared | set(_OWN_RULES), owners=owners, xattrs=owners)
    for name in _OWN_RULES:
        if name in changes.active:
            try:
                _bring_top(changes.inside(name), f"{copy}/{name}", f"{original}/{name}", count, owners=owners)
            except OSError as error:
                count.fail(name, error)
    return count


def _bring_top(inside: Changes, ours: str, theirs: str, count: MirrorCount, *, owners: bool) -> None:
    """Bring back an entry of the top whose name means something to the mirror."""
    new, old = _look(ours), _look(theirs)
    if old is not None and not inside.spared and (new is None or stat.S_IFMT(new.st_mode) != stat.S_IFMT(old.st_mode)):
        if error := remove_tree(theirs):
            raise error
        count.removed += 1
        old = None
    if new is None:
        return
    if stat.S_ISDIR(new.st_mode):
        if old is None:
            os.mkdir(theirs, 0o700)
        inner = bring_tree(inside, ours, theirs, owners=owners)
        count.copied += inner.copied
        count.removed += inner.removed
        count.failed += inner.failed
        count.failure = count.failure or inner.failure
    elif stat.S_ISLNK(new.st_mode):
        if old is not None:
            os.unlink(theirs)
        os.symlink(os.readlink(ours), theirs)
        count.copied += 1
    elif stat.S_ISREG(new.st_mode):
        write_into(ours, theirs, os.O_NOFOLLOW | os.O_CREAT)
        count.copied += 1


def _look(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except FileNotFoundError:
        return None
