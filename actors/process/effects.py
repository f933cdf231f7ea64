"""What an actor's logic wants done: returned by ``handle`` and carried out by the shell around it.

The logic is pure: it gets events and answers with these. Tests compare them; only ``actors.process.peer`` carries
them out.
"""

from collections.abc import Callable

from proto.value import Value
from proto.wire.envelope import Envelope
from proto.wire.registry import Message


class Report(Value):
    """Tell the state actor a fact, again and again until it is in the journal."""

    event: Message
    cause: str | None = None


class Tell(Value):
    """Send a message once."""

    envelope: Envelope


class ToAnchor(Value):
    """Say something to the anchor."""

    message: Message


class Write(Value):
    """Write a few bytes to a descriptor that the actor inherited under this name."""

    descriptor: str
    data: bytes


class Later(Value):
    """Hand ``Tick(name)`` to the logic after so many seconds; the same name replaces the earlier one."""

    name: str
    seconds: float


class Never(Value):
    """Forget a ``Later``."""

    name: str


class Log(Value):
    """Write a line to the container's log."""

    level: str
    text: str


class Work(Value):
    """Run something that may take long in a thread; its result comes back as ``Worked(name, …)``.

    The function gets a call by which it hands events to the logic meanwhile.
    """

    name: str
    function: Callable[[Callable[[object], None]], object]


Effect = Report | Tell | ToAnchor | Write | Later | Never | Log | Work


class Tick(Value):
    """A ``Later`` has come."""

    name: str


class Worked(Value):
    """A ``Work`` is over; one of ``result`` and ``error`` is set."""

    name: str
    result: object
    error: BaseException | None
