"""The journal's records, without what may be secret."""

from actors.state.tap import redact
from proto.life import requests
from proto.life.journal import Record
from proto.wire.registry import word_of

from .view import View, cell

HEADER = ("time", "event", "data")


def table(view: View, _: str) -> requests.Table:
    """A row for each record."""
    return requests.Table(HEADER, tuple(row(record) for record in view.records))


def row(record: Record) -> tuple[str, ...]:
    """One record: seconds since the epoch, what has happened, its fields."""
    data = {key: value for key, value in redact(record.event).items() if value is not False and value not in ("", None)}
    return (f"{record.time:.3f}", word_of(type(record.event)), cell(data))
