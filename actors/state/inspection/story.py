"""The story of one event: what led to it, and what came of it."""

from actors.state.causes import causes, related
from proto.errors import NotFoundError
from proto.life import requests
from proto.wire.registry import word_of

from .journal import row
from .view import View

HEADER = ("number", "time", "event", "relation", "because of", "data")


def table(view: View, argument: str) -> requests.Table:
    """The event, and those before and after it that belong to it.

    Raises:
        NotFoundError: the journal has no such event.

    """
    number = _number(view, argument)
    found = causes(view.records)
    before, after = related(found, number)
    rows = []
    for at in sorted({*before, number, *after}):
        time, event, data = row(view.records[at - 1])
        relation = "cause" if at in before else "effect" if at in after else "this"
        because = ", ".join(f"{cause.event} ({cause.link})" for cause in found[at - 1])
        rows.append((str(at), time, event, relation, because or "outside", data))
    return requests.Table(HEADER, tuple(rows))


def _number(view: View, argument: str) -> int:
    """The event of that number; of a word, the last one."""
    words = [word_of(type(record.event)) for record in view.records]
    if argument in words:
        return len(words) - words[::-1].index(argument)
    if argument.isdecimal() and 0 < int(argument) <= len(words):
        return int(argument)
    raise NotFoundError(f"the journal has no event {argument[:40]!r}; see scrun console ID journal")
