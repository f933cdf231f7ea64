"""What the state actor lets be seen of itself."""

import json

from proto.life import talk
from proto.life.container import Container
from proto.life.journal import Record
from proto.value import Value


class View(Value):
    """The state actor, and what the anchor says of the others, at this moment.

    Attributes:
        anchor: pid of the anchor.
        container: the container's state.
        children: the anchor's processes, as it last told of them.
        records: the journal.
        processes: what only the anchor knows of its processes; empty unless it was asked.
        held: whether restarts are held; the same.

    """

    anchor: int
    container: Container
    children: tuple[talk.ChildChanged, ...]
    records: tuple[Record, ...]
    processes: tuple[talk.Process, ...] = ()
    held: bool = False


def cell(value: object) -> str:
    """A value as text; what is more than a word or a number, as JSON."""
    return json.dumps(value, default=str) if isinstance(value, dict | list) else str(value)
