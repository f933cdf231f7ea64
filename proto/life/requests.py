"""Requests of the command line and the console with their replies, and what actors say about a message or an event."""

from typing import Literal

from proto.wire.registry import Message, message

Action = Literal["restart", "kill", "freeze", "thaw", "log-level", "hold", "resume"]
"""What somebody at the console may do to an actor, or (the last two) to the supervision of all of them."""


@message("start")
class Start(Message):
    """Run the program; answered when it runs."""


@message("kill")
class Kill(Message):
    """Give the container a signal; answered when it is delivered."""

    signal: int


@message("delete")
class Delete(Message):
    """End a container that is not running (``force``: any); answered when it is about to be gone."""

    force: bool = False


@message("inspect")
class Inspect(Message):
    """Tell about yourself: ``tree``, ``journal`` or another table of the console.

    ``argument``: what of it, where a table takes one.
    """

    what: str
    argument: str = ""


@message("intervene")
class Intervene(Message):
    """Do something to an actor, or to the supervision; answered when it is in the journal and the anchor is told.

    ``level``: of ``log-level``, which.
    """

    action: Action
    actor: str = ""
    level: str = ""


@message("done")
class Done(Message):
    """The request was carried out."""


@message("table")
class Table(Message):
    """Rows for the console; all cells are text."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@message("failed")
class Failed(Message):
    """The request was not carried out: ``proto.errors`` has the codes."""

    code: str
    sentence: str


@message("heard")
class Heard(Message):
    """A fact is in the journal, or an intent has arrived; the envelope's cause names it."""


@message("note")
class Note(Message):
    """For the tap only: something worth watching that changes no state."""

    event: str
    data: dict[str, str]
