"""Other containers of this user that have copies of the same files and directories of this host.

Each would work on a copy of its own, and the one that ends last would win: so one that writes has them for itself.
``create`` notes in ``ROOT/ID/sources`` what the container has copies of, and only then looks at the notes of the
others: of two at the same time at least one sees the other.
"""

import json
import os
from collections.abc import Iterable

from actors.oci.bind_source import is_below
from actors.oci.copies import Copy
from proto.errors import ScrunError, StagingError
from proto.host.paths import ContainerPaths
from scrun.box import directory

_SIZE_LIMIT = 1 << 20


def claim(paths: ContainerPaths, copies: Iterable[Copy]) -> None:
    """Note what a container has copies of.

    Raises:
        StagingError: another one has some of it, too, and one of the two may write there.
        OSError: the note cannot be written.

    """
    mine = {os.path.realpath(copy.source): copy for copy in copies}
    if not mine:
        return
    descriptor = os.open(paths.sources, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        json.dump({source: copy.returns for source, copy in mine.items()}, file)
    for other in _others(paths):
        for theirs, writes in _noted(other).items():
            for source, copy in mine.items():
                shared = is_below(theirs, source) or is_below(source, theirs)
                if shared and (writes or copy.returns) and not _is_over(other):
                    raise StagingError(
                        f"{copy.source}, which is wanted as {copy.destination}, is on this host only, and container "
                        f"{other.id} has a copy of {theirs}: what one writes the other would not see; put it on a "
                        "file system that the nodes have, let the other one end first, or, if the nodes have the same "
                        "there, say keep for it in [staging.binds] of scrun.toml"
                    )


def _others(paths: ContainerPaths) -> list[ContainerPaths]:
    found = []
    for name in os.listdir(paths.root):
        if name != paths.id:
            try:
                found.append(ContainerPaths(paths.root, name))
            except ScrunError:
                continue
    return found


def _noted(paths: ContainerPaths) -> dict[str, bool]:
    try:
        with open(paths.sources, encoding="ascii") as file:
            noted = json.loads(file.read(_SIZE_LIMIT))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _is_over(paths: ContainerPaths) -> bool:
    """Whether no process of a container is left, its guard included, which may still bring changes back."""
    lock = directory.try_lock(paths)
    if lock is not None:
        os.close(lock)
    return lock is not None
