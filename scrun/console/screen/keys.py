"""What the keys of the screen do: each is a command of scrun's, which is carried out as if it were typed. Pure."""

import textwrap
from typing import Literal

from proto.value import Value
from scrun.console.interventions import COMMANDS as INTERVENTIONS
from scrun.console.table import COMMANDS

Argument = Literal["", "actor", "level", "event"]
WIDTH, INDENT = 76, 20
"""Of the text about them, in characters."""
CHANGING = frozenset(command.name for command in INTERVENTIONS)
"""Commands that ask before they do something."""


class Key(Value):
    """One key.

    Attributes:
        key: as it is typed.
        command: of the console, or the verb ``why``.
        wants: what is asked for before it is carried out; an actor is the one that has the cursor.

    """

    key: str
    command: str
    wants: tuple[Argument, ...] = ()

    @property
    def summary(self) -> str:
        """What it does, for people."""
        return COMMANDS[self.command].summary if self.command in COMMANDS else "why it waits, has failed or has ended"

    @property
    def of_actor(self) -> bool:
        """Whether it is about one actor."""
        return "actor" in self.wants

    def words(self, root: str, container_id: str, arguments: tuple[str, ...]) -> list[str]:
        """The command line behind ``scrun``."""
        if self.command == "why":
            return ["--root", root, "why", container_id]
        sure = ("--yes",) if self.command in CHANGING else ()
        return ["--root", root, "console", *sure, "--", container_id, self.command, *arguments]


KEYS = (
    Key("w", "why"),
    Key("j", "job"),
    Key("h", "journal"),
    Key("y", "story", ("event",)),
    Key("t", "tree"),
    Key("s", "state"),
    Key("n", "wants"),
    Key("d", "descriptors"),
    Key("D", "dump"),
    Key("H", "hold"),
    Key("U", "resume"),
    Key("k", "stack", ("actor",)),
    Key("R", "restart", ("actor",)),
    Key("K", "kill", ("actor",)),
    Key("F", "freeze", ("actor",)),
    Key("T", "thaw", ("actor",)),
    Key("L", "log-level", ("actor", "level")),
)
OTHERS = {
    "enter": "open the container that has the cursor",
    "escape": "back, or out of a question",
    "/": "show only rows with these words",
    "o": "order the rows in another way",
    "1 2 3": "of a container: its processes, its messages, its log",
    "?": "the keys",
    "q": "quit",
}
"""What moves about in the screen and does nothing to a container."""


def help_text() -> str:
    """All keys, for a window of 80 columns."""
    rows = [*((key, "", text) for key, text in OTHERS.items()), *((key.key, key.command, key.summary) for key in KEYS)]
    indent = " " * INDENT
    return "\n".join(
        textwrap.fill(text, WIDTH, initial_indent=f"{f'{key:8}{command}':{INDENT}}", subsequent_indent=indent)
        for key, command, text in rows
    )
