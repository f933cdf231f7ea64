"""What an actor's logic wants done: returned by ``handle`` and carried out by the shell around it.

The logic is pure: it gets events and answers with these. Tests compare them; only ``actors.shell`` carries
them out.
"""

from collections.abc import Callable
from dataclasses import dataclass

from proto.envelope import Envelope
from proto.registry import Message


@dataclass(frozen=True, slots=True)
class Report:
    """Tell the state actor a fact, again and again until it is in the journal."""

    event: Message
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Tell:
    """Send a message once."""

    envelope: Envelope


@dataclass(frozen=True, slots=True)
class ToAnchor:
    """Say something to the anchor."""

    message: Message


@dataclass(frozen=True, slots=True)
class Later:
    """Hand ``Tick(name)`` to the logic after so many seconds; the same name replaces the earlier one."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Never:
    """Forget a ``Later``."""

    name: str


@dataclass(frozen=True, slots=True)
class Work:
    """Run something that may take long in a thread; its result comes back as ``Worked(name, …)``."""

    name: str
    function: Callable[[], object]


Effect = Report | Tell | ToAnchor | Later | Never | Work


@dataclass(frozen=True, slots=True)
class Tick:
    """A ``Later`` has come."""

    name: str


@dataclass(frozen=True, slots=True)
class Worked:
    """A ``Work`` is over; one of ``result`` and ``error`` is set."""

    name: str
    result: object
    error: BaseException | None
