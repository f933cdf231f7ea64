"""``scrun list``: the containers of a state directory, as a table, as JSON, or their ids only."""

import json
import os
from typing import Any

from proto.errors import ScrunError
from scrun.box import directory
from scrun.box.box import find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.report.lines import write

# runc's keys, in runc's order.
KEYS = ("ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "annotations", "owner")
COLUMNS = ("id", "pid", "status", "bundle", "created", "owner")


def run(line: Line) -> int:
    """Print the list."""
    states = _states(root_of(line, must_exist=True))
    if line.own.flag("quiet"):
        text = "".join(f"{state['id']}\n" for state in states)
    elif line.own.text("format") == "json":
        # runc prints null for none, and readers know it.
        text = json.dumps(states or None, separators=(",", ":"))
    else:
        text = table(states)
    write(1, text)
    return 0


def _states(root: str) -> list[dict[str, Any]]:
    """The states of all containers, in order of their ids; what is no container is passed over."""
    try:
        directory.sweep(root)
        names = sorted(os.listdir(root))
    except OSError:
        return []
    states = []
    for name in names:
        try:
            state = json.loads(find(root, name).state())
        except (ScrunError, ValueError):
            continue
        states.append({key: state[key] for key in KEYS if key in state})
    return states


def table(states: list[dict[str, Any]]) -> str:
    """A table as runc's: columns of at least 12, three blanks apart."""
    rows = [[name.upper() for name in COLUMNS]]
    rows += [[str(state.get(name, "")) for name in COLUMNS] for state in states]
    widths = [max(9, *(len(row[index]) for row in rows)) + 3 for index in range(len(COLUMNS))]
    lines = ["".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)
