"""What the tap tells of a container as it is at this moment: in a hello, and again after each fact.

Nothing of it is secret: no environment, no arguments, and of the annotations only scrun's own, for what others mean
by theirs is not known.
"""

from proto.life.container import Container
from proto.life.state_file import annotations, phase
from proto.wire.codec import to_plain


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
