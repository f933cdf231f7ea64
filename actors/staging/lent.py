"""What a container got for a root file system, as stage-in notes it beside the bundle for those who bring it back."""

import json
import os
from collections.abc import Iterable

from proto.value import Value

from .files import write_file
from .root_plan import Root

NAME = "staged.json"


class Lent(Value):
    """It.

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


def note(directory: str, root: Root, excluded: Iterable[str], *, owners: bool) -> None:
    """Note it in the directory of a bundle that is complete."""
    record = {
        "way": root.way,
        "excluded": list(excluded),
        "tops": list(root.tops),
        "owners": owners,
        "complete": root.complete,
    }
    write_file(f"{directory}/{NAME}", json.dumps(record).encode("utf-8", "surrogateescape"), 0o600)


def read(directory: str) -> Lent | None:
    """Read it; ``None`` if stage-in was cut off before."""
    path = f"{directory}/{NAME}"
    try:
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
            since = os.fstat(file.fileno()).st_ctime_ns
    except (OSError, ValueError):
        return None
    excluded, tops = frozenset(record["excluded"]), tuple(record["tops"])
    return Lent(record["way"], excluded, tops, record["owners"], record["complete"], since)
