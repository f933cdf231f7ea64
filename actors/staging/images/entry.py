"""An entry of a cache or a store: ``DIRECTORY/KEY/tree``, and beside the tree what is known of it.

An entry is made under another name and renamed, so one that exists is complete.
"""

import json
import os
from typing import Any

from actors.staging.files import write_file
from proto.value import Value

TREE = "tree"
_RECORD = "record.json"
_NO_LONGER = 1 << 16


class Record(Value):
    """What is known of a tree.

    Attributes:
        size: bytes of its files.
        files: number of its entries but directories.
        source: where it came from: an image's name, or a path.
        made: seconds since the epoch.
        missing: how many things could not be copied.
        several_owners: whether its files had several owners, and were not to keep them.

    """

    size: int
    files: int
    source: str
    made: float
    missing: int = 0
    several_owners: bool = False


def write_record(entry: str, record: Record) -> None:
    """Put the record into an entry."""
    text = json.dumps(record.__dict__)
    write_file(os.path.join(entry, _RECORD), text.encode("utf-8", "surrogateescape"), 0o644)


def read_record(entry: str) -> Record:
    """The record of an entry; one that is not there, or is none, tells nothing."""
    try:
        with open(os.path.join(entry, _RECORD), encoding="utf-8", errors="surrogateescape") as file:
            found: Any = json.loads(file.read(_NO_LONGER))
        return Record(
            int(found["size"]),
            int(found["files"]),
            str(found["source"]),
            float(found["made"]),
            int(found["missing"]),
            found.get("several_owners") is True,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Record(0, 0, "", 0.0)


def is_complete(entry: str) -> bool:
    """Whether a tree is there, and nobody has begun to remove it by hand: ``rm -r`` may get stuck half-way."""
    return os.path.isfile(os.path.join(entry, _RECORD)) and os.path.isdir(os.path.join(entry, TREE))


def is_key(name: str) -> bool:
    """Whether a name in a cache or a store is that of an entry; others have a point in them."""
    return name.isalnum() and name != "lock"
