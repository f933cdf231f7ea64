"""What scrun is trying to achieve."""

from actors.state.tap import redact
from proto.life import requests
from proto.life.wants import wanted
from proto.wire.registry import word_of

from .view import View, cell

HEADER = ("actor", "wanted", "data")


def table(view: View, _: str) -> requests.Table:
    """A row for each thing that is wanted now."""
    rows = ((w.actor, word_of(type(w.message)), cell(redact(w.message))) for w in wanted(view.container))
    return requests.Table(HEADER, tuple(rows))
