"""What the state actor tells the console about itself: a table of tables, one file each.

They are the server halves of the console's commands; each has the name of its client half in ``scrun/console``.
"""

from collections.abc import Callable

from proto.errors import ScrunError
from proto.life import requests
from proto.wire.registry import Message

from . import journal, state, story, tree, wants
from .view import View

__all__ = ["TABLES", "View", "inspect"]

TABLES: dict[str, Callable[[View, str], requests.Table]] = {
    "tree": tree.table,
    "journal": journal.table,
    "wants": wants.table,
    "state": state.table,
    "story": story.table,
}


def inspect(view: View, what: str, argument: str) -> Message:
    """The table of that name, or a refusal that says what there is."""
    if what not in TABLES:
        return requests.Failed("usage", f"there is no table {what[:40]!r}; there are {', '.join(TABLES)}")
    try:
        return TABLES[what](view, argument)
    except ScrunError as error:
        return requests.Failed(error.code, error.sentence)
