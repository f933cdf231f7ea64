"""What a command of the console is, and what it is asked about."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from proto.host.paths import ContainerPaths
from proto.value import Value

if TYPE_CHECKING:
    from proto.life.requests import Table

Row = tuple[object, ...]
"""A cell for each column: what JSON has."""


class Question:
    """What a command is asked about.

    Attributes:
        root: the state directory.
        id: of the container; empty for a command that needs none.
        arguments: the words behind the command.
        follow: whether to go on until the container ends.
        actors, types: what to show messages of; empty for all.
        yes: whether what changes something is wanted for sure.

    """

    def __init__(
        self, root: str, container_id: str = "", arguments: Sequence[str] = (), *,
        follow: bool = False, yes: bool = False, actors: Iterable[str] = (), types: Iterable[str] = (),
    ) -> None:  # fmt: skip
        self.root = root
        self.id = container_id
        self.arguments = arguments
        self.follow = follow
        self.yes = yes
        self.actors = frozenset(actors)
        self.types = frozenset(types)

    @property
    def argument(self) -> str:
        """The first of the arguments, or empty."""
        return self.arguments[0] if self.arguments else ""

    @property
    def paths(self) -> ContainerPaths:
        """The container's.

        Raises:
            UsageError: that is no id.

        """
        return ContainerPaths(self.root, self.id)

    def ask(self, what: str) -> "Table":
        """A table of the state actor's; see ``hub.ask``."""
        from proto.life import requests

        from .hub import ask

        table = ask(self.paths, requests.Inspect(what, self.argument))
        assert isinstance(table, requests.Table)  # noqa: S101 - the only answer to Inspect that is no error
        return table


class Command(Value):
    """One command.

    Attributes:
        name: by which it is called.
        summary: for ``scrun help console``.
        columns: of its rows.
        rows: its client half: makes the rows, which may come one by one for as long as the container lives.
        reading: how to read what it shows, for the page.
        argument: names of the words that it takes, in brackets if they may be left out; empty if it takes none.
        container: whether it is about one container.
        live: whether its rows come as things happen: always, if ``--follow`` is given, or never.

    """

    name: str
    summary: str
    columns: tuple[str, ...]
    rows: Callable[[Question], Iterable[Row]]
    reading: str = ""
    argument: str = ""
    container: bool = True
    live: Literal["always", "follow", "never"] = "never"

    def is_live(self, question: Question) -> bool:
        """Whether its rows are printed as they come."""
        return self.live == "always" or (self.live == "follow" and question.follow)
