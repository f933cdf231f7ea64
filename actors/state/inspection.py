"""What the state actor tells the console about itself: a table of tables."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from proto import messages as m
from proto.registry import Message, word_of
from proto.wants import wanted

from .statefile import phase
from .tap import redact

if TYPE_CHECKING:
    from .actor import StateActor


def _tree(actor: "StateActor") -> m.Table:
    rows = [("anchor", str(actor.begin.anchor), "1", "0", "running", phase(actor.container))]
    rows += [
        (c.actor, str(c.pid), str(c.incarnation), str(c.restarts), c.status, c.reason) for c in actor.children.values()
    ]
    return m.Table(("process", "pid", "incarnation", "restarts", "status", "detail"), tuple(rows))


def _journal(actor: "StateActor") -> m.Table:
    rows = [
        (f"{r.time:.3f}", word_of(type(r.event)), str({k: v for k, v in redact(r.event).items() if v}))
        for r in actor.book.records
    ]
    return m.Table(("time", "event", "data"), tuple(rows))


def _wants(actor: "StateActor") -> m.Table:
    rows = [(w.actor, word_of(type(w.message)), str(redact(w.message))) for w in wanted(actor.container)]
    return m.Table(("actor", "wanted", "data"), tuple(rows))


TABLES: dict[str, Callable[["StateActor"], m.Table]] = {"tree": _tree, "journal": _journal, "wants": _wants}


def inspect(actor: "StateActor", what: str) -> Message:
    """The table of that name, or a refusal that names those that there are."""
    if what not in TABLES:
        return m.Failed("usage", f"there is no table {what[:40]!r}; there are {', '.join(TABLES)}")
    return TABLES[what](actor)
