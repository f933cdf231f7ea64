"""``wants``: what scrun is trying to achieve."""

import json
from collections.abc import Iterator

from .command import Command, Question, Row


def rows(question: Question) -> Iterator[Row]:
    """The state actor's."""
    for actor, wanted, data in question.ask("wants").rows:
        yield actor, wanted, json.loads(data)


COMMAND = Command(
    "wants",
    "what scrun is trying to achieve",
    ("actor", "wanted", "data"),
    rows,
    "empty when it is over. A running container wants `launch-step`: that is how the allocation actor is told to go on "
    "listening for its end",
)
