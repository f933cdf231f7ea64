"""``messages``: what a container's processes say to each other, live."""

from collections.abc import Iterator

from .command import Command, Question, Row
from .tap import listen


def rows(question: Question) -> Iterator[Row]:
    """What the tap shows, until the container has ended."""
    for heard in filter(None, listen(question.paths)):
        topic, body = heard
        layer, actor, kind = (*topic.split(".", 2), "", "")[:3]
        if (not question.actors or actor in question.actors) and (not question.types or kind in question.types):
            yield body["time"], layer, actor, kind, body["data"]


COMMAND = Command(
    "messages",
    "what its processes say to each other, live; --actor and --type show some of it",
    ("time", "layer", "actor", "type", "data"),
    rows,
    "the [tap](operations.md#the-tap), in words; ends with the container",
    live="always",
)
