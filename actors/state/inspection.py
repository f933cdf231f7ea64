"""What the state actor tells the console about itself: a table of tables."""

from collections.abc import Callable

from proto.life import messages as m
from proto.life.container import Container
from proto.life.journal import Record
from proto.life.state_file import phase
from proto.life.wants import wanted
from proto.value import Value
from proto.wire.registry import Message, word_of

from .tap import redact


class View(Value):
    """What the state actor lets be seen of itself, as it is at this moment.

    Attributes:
        anchor: pid of the anchor.
        container: the container's state.
        children: the anchor's processes, as it last told of them.
        records: the journal.

    """

    anchor: int
    container: Container
    children: tuple[m.ChildChanged, ...]
    records: tuple[Record, ...]


def _tree(view: View) -> m.Table:
    rows = [("anchor", str(view.anchor), "1", "0", "running", phase(view.container))]
    rows += [(c.actor, str(c.pid), str(c.incarnation), str(c.restarts), c.status, c.reason) for c in view.children]
    return m.Table(("process", "pid", "incarnation", "restarts", "status", "detail"), tuple(rows))


def _journal(view: View) -> m.Table:
    rows = [
        (f"{r.time:.3f}", word_of(type(r.event)), str({k: v for k, v in redact(r.event).items() if v}))
        for r in view.records
    ]
    return m.Table(("time", "event", "data"), tuple(rows))


def _wants(view: View) -> m.Table:
    rows = [(w.actor, word_of(type(w.message)), str(redact(w.message))) for w in wanted(view.container)]
    return m.Table(("actor", "wanted", "data"), tuple(rows))


TABLES: dict[str, Callable[[View], m.Table]] = {"tree": _tree, "journal": _journal, "wants": _wants}


def inspect(view: View, what: str) -> Message:
    """The table of that name, or a refusal that names those that there are."""
    if what not in TABLES:
        return m.Failed("usage", f"there is no table {what[:40]!r}; there are {', '.join(TABLES)}")
    return TABLES[what](view)
