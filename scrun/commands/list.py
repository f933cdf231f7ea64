"""``scrun list``: the containers of a state directory, as a table, as JSON, or their ids only.

Engines and scripts read the table by its columns and the JSON by its keys, as runc has them: both stay as they are.
What a person wants to know is in a table of its own (``--long``), and in the JSON in one key more, ``scrun``: readers
of runc's pass over what they do not know.
"""

import os
import pwd
import time

from actors.oci import config_file
from proto.errors import ScrunError
from scrun.box import all_users, directory
from scrun.box.box import Box, find
from scrun.box.outline import born, outline
from scrun.cli.parsing import Line
from scrun.cli.root import check_all_users, root_of
from scrun.report.durations import length
from scrun.report.lines import one_line, show

# runc's keys, in runc's order.
KEYS = ("ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "annotations", "owner")
COLUMNS = ("id", "pid", "status", "bundle", "created", "owner")
LONG = ("id", "status", "job", "nodes", "phase", "age", "reason")
LONG_OF_ALL = ("owner", *LONG)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Entry = dict[str, Any]


def run(line: Line) -> int:
    """Print the list."""
    everyone = line.own.flag("all-users")
    entries = list(_of_all(line) if everyone else _of_one(root_of(line, must_exist=True)))
    if job := line.own.text("job"):
        entries = [entry for entry in entries if entry["scrun"]["job"] == job]
    if line.own.flag("quiet"):
        text = "".join(f"{entry['id']}\n" for entry in entries)
    elif line.own.text("format") == "json":
        # runc prints null for none, and readers know it.
        import json

        text = json.dumps(entries or None, separators=(",", ":"))
    elif line.own.flag("long"):
        rows = [long_row(entry, time.time()) for entry in entries]
        text = table(LONG_OF_ALL if everyone else LONG, rows)
    else:
        text = table(COLUMNS, entries)
    show(text)
    return 0


def _of_one(root: str) -> "Iterator[Entry]":
    """The containers of a state directory, in order of their ids; what is no container is passed over."""
    try:
        directory.sweep(root)
        names = sorted(os.listdir(root))
    except OSError:
        return
    for name in names:
        try:
            yield entry_of(find(root, name))
        except (ScrunError, ValueError):
            continue


def _of_all(line: Line) -> "Iterator[Entry]":
    """The containers of all users.

    Raises:
        UsageError: the caller is not root, or names one directory.

    """
    check_all_users(line, "list")
    for uid, root in all_users.roots():
        for box in all_users.boxes(uid, root):
            try:
                entry = entry_of(box)
            except (ValueError, RecursionError):
                continue
            yield entry | {"id": box.paths.id, "owner": _name(uid)}  # whatever its user may have written there


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def entry_of(box: Box) -> "Entry":
    """What is listed of a container.

    Raises:
        ValueError: its state file is not what scrun writes.

    """
    state = config_file.parse(box.state())  # json would take as long as an interpreter that does nothing
    return {**{key: state[key] for key in KEYS if key in state}, "scrun": outline(box, state)}


def long_row(entry: "Entry", now: float) -> "Entry":
    """The row of the long table: ids as engines show them, and times as ages."""
    name = str(entry.get("id", ""))
    try:
        age = length(now - born(entry)).replace(" ", "")
    except ValueError:
        age = ""
    return {**entry, **entry["scrun"], "id": name[:12] if len(name) == 64 else name, "age": age}


def table(columns: tuple[str, ...], entries: "list[Entry]") -> str:
    """A table as runc's: columns of at least 12, three blanks apart."""
    rows = [[name.upper() for name in columns]]
    rows += [[one_line(str(entry.get(name, ""))) for name in columns] for entry in entries]
    widths = [max(9, *(len(row[index]) for row in rows)) + 3 for index in range(len(columns))]
    lines = ["".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)
