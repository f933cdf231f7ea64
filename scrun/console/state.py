"""``state``: all that scrun knows of a container."""

from collections.abc import Iterable

from .command import Command, Question, Row


def rows(question: Question) -> Iterable[Row]:
    """The state actor's."""
    return question.ask("state").rows


COMMAND = Command(
    "state",
    "all that follows from its journal, field by field",
    ("field", "value"),
    rows,
    "what the container was created from is left out: secrets are in it. `scrun state` is the engines'",
)
