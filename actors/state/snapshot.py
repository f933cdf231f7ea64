"""What the tap tells of a container as it is at this moment: in a hello, and its state again after each fact.

Nothing of it is secret: no environment, no arguments, and of the annotations only scrun's own, for what others mean
by theirs is not known.
"""

from collections.abc import Iterable

from proto.life.container import Container
from proto.life.journal import Record
from proto.life.state_file import annotations, phase
from proto.life.talk import ChildChanged
from proto.wire.codec import to_plain
from proto.wire.registry import word_of


def snapshot(container: Container, anchor: int) -> dict[str, object]:
    """What ``scrun state`` shows, without the user's annotations, and the ending as soon as it is known."""
    creation = container.creation
    assert creation is not None  # noqa: S101 - the first record of the journal has it
    return {
        "status": container.status,
        "phase": phase(container),
        "pid": 0 if container.finished else anchor,
        "created": creation.created,
        "owner": creation.caller.user,
        "bundle": creation.bundle,
        "annotations": annotations(container),
        "ending": to_plain(container.ending),
    }


def greeting(
    container: Container, anchor: int, processes: Iterable[ChildChanged], records: Iterable[Record]
) -> dict[str, object]:
    """What a newcomer is told: the state, the actors, and when each kind of fact happened first, for it heard none."""
    moments: dict[str, float] = {}
    for record in records:
        moments.setdefault(word_of(type(record.event)), record.time)
    state = snapshot(container, anchor)
    return {"state": state, "processes": [to_plain(child) for child in processes], "moments": moments}
