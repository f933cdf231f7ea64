"""The screen of one container: its life, and its processes, its messages or its log."""

import contextlib
import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import ContentSwitcher, Footer, Log, Static

from scrun.console import processes

from .acting import Acting, bindings
from .card import Card
from .close_up import CloseUp
from .listing import Listing
from .process_rows import COLUMNS, ProcessRow, style
from .rows import Row, age, short
from .timeline import lines
from .tree import Process, tree
from .watching import Watching

PANES = ("processes", "messages", "log")
KEPT = 2000
"""Lines of messages, and of the log, that can be scrolled back to."""


class Page(Acting):
    """What there is to see of one container."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("why", "job", "journal", "restart", actors=True),
        *(Binding(str(number), f"pane('{name}')", name, show=False) for number, name in enumerate(PANES, 1)),
        Binding("escape", "app.pop_screen", "back"),
    ]

    def __init__(self, watching: Watching, card: Card) -> None:
        """Args:
        watching: what is known of containers.
        card: the one that is shown.
        """
        super().__init__()
        self._watching = watching
        self._card = card
        self._close_up = CloseUp(watching, card)
        self._head = Static(markup=False, classes="head")
        self._life = Static(markup=False, classes="life")
        self._tabs = Static(markup=True, classes="tabs")
        self.processes = Listing[Process, ProcessRow](COLUMNS, self._row, style, "no process of it runs on this host")
        self.messages = Log(max_lines=KEPT)
        self.log_text = Log(max_lines=KEPT)

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self._life
        yield self._tabs
        self.processes.id, self.messages.id, self.log_text.id = PANES
        with ContentSwitcher(initial=PANES[0]):
            yield self.processes
            yield self.messages
            yield self.log_text
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show what there is."""
        self.action_pane(PANES[0])
        self.tick()

    def on_unmount(self) -> None:
        """Listen to it no longer."""
        self._close_up.close()

    def subject(self) -> Card | None:
        """The container that is shown."""
        return self._card

    def actor(self) -> str:
        """The actor that has the cursor."""
        process = self.processes.current
        return process.name if process is not None and process.actor is not None else ""

    def tick(self) -> None:
        """Show what has changed."""
        if self._close_up.closed:  # a second has passed while the page was left
            return
        self._card = self._watching.roster.cards.get(self._card.key, self._card)
        gone = self._card.key not in self._watching.roster.cards
        row = self._watching.row(self._card)
        self._close_up.look()
        self._head.update(_title(row, gone=gone))
        details = self._close_up.details(row)
        over = gone or not self._card.anchor
        stages = lines(self._close_up.timeline, row.now, details, over=over)
        self._life.update("\n".join([*stages, f"{'end':12}{self._close_up.end() or '-'}"]))
        if self._card.anchor and not gone:
            self.processes.show(tree(self._card.anchor, self._card.actors, processes.children, processes.name))
        else:
            self.processes.show([])
        for widget, said in ((self.messages, self._close_up.messages()), (self.log_text, self._close_up.log())):
            if said:
                widget.write_lines(said)

    def action_pane(self, name: str) -> None:
        """Show the processes, the messages, or the log."""
        self.query_one(ContentSwitcher).current = name
        self._tabs.update("  ".join(
            f"[reverse] {number} {pane} [/]" if pane == name else f" {number} {pane} "
            for number, pane in enumerate(PANES, 1)
        ))  # fmt: skip
        self.query_one(f"#{name}").focus()

    def _row(self, process: Process) -> ProcessRow:
        measured = processes.measure(process.pid) if process.pid else processes.Measure()
        load = self._watching.loads.of(process.pid, alone=True)
        return ProcessRow(process, load.cpu, measured)


def _title(row: Row, *, gone: bool) -> str:
    card = row.card
    words = [short(card.id), "deleted" if gone else card.phase]
    words += [f"of {card.owner}"] if card.owner else []
    words += [f"job {card.job}"] if card.job else []
    words += [f"on {card.nodes}"] if card.nodes else []
    with contextlib.suppress(ValueError):
        words.append(f"created {age(time.time() - card.created)} ago")
    return "  ".join(words)
