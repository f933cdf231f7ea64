"""The container's state, field by field: all that follows from the journal."""

from proto.life import requests
from proto.life.state_file import phase
from proto.value import as_dict
from proto.wire.codec import to_plain

from .view import View, cell

HEADER = ("field", "value")
SECRET = frozenset({"creation", "argv"})
"""Environment, arguments and annotations are in them."""


def table(view: View, _: str) -> requests.Table:
    """A row for each field, after the two words that sum them up."""
    fields = {name: value for name, value in as_dict(view.container).items() if name not in SECRET}
    words = {"status": view.container.status, "phase": phase(view.container)}
    return requests.Table(HEADER, tuple((name, cell(to_plain(value))) for name, value in (words | fields).items()))
