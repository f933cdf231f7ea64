"""What follows from a signal that the anchor was sent: by an engine, a user or an administrator. Pure."""

from collections.abc import Iterable

from proto.exit_codes import INT, INTERRUPTED
from proto.life import events as e
from proto.life import talk
from proto.life.container import Container
from proto.life.journal import Record
from proto.wire.registry import Message


def follows(container: Container, records: Iterable[Record], interrupted: talk.Interrupted) -> Message | None:
    """What happens by it; None: nothing, or it was told to a predecessor of this state actor already.

    SIGINT cancels, and a second one does so without grace; any other signal is the program's.
    """
    if interrupted.signal != INT:
        if container.ending is not None:
            return None
        request = f"anchor-{interrupted.signal}-{interrupted.number}"
        return e.SignalRequested(container.signal_count + 1, interrupted.signal, request, interrupted.logout)
    events = [record.event for record in records]
    known = sum(isinstance(event, e.CancelRequested) and event.by == "SIGINT" for event in events)
    if known >= interrupted.number:
        return None
    return e.CancelRequested("SIGINT", INTERRUPTED, forced=container.ending is not None)
