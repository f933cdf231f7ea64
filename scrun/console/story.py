"""``story``: what led to an event, and what came of it."""

import json
from collections.abc import Iterator

from proto.errors import UsageError

from .command import Command, Question, Row


def rows(question: Question) -> Iterator[Row]:
    """The state actor's.

    Raises:
        UsageError: no event is named.

    """
    if not question.argument:
        raise UsageError("story wants the number or the name of an event: scrun console ID journal has both")
    for number, time, event, relation, because, data in question.ask("story").rows:
        yield int(number), float(time), event, relation, because, json.loads(data)


COMMAND = Command(
    "story",
    "what led to an event, and what came of it",
    ("number", "time", "event", "relation", "because of", "data"),
    rows,
    "EVENT is a number of `journal`, or a name: the last of that name. `because of` has the events that brought it "
    "about, and how: by what was wanted after them, or by a clock that ran then; `outside`: a command, a signal or "
    "a person did. Not every effect was meant: a step that ends while it is wanted ends by itself, too",
    argument="EVENT",
)
