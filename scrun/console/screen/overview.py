"""The screen of all containers."""

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Footer, Static

from .acting import Acting, binding, bindings
from .card import Card
from .listing import Listing
from .page import Page
from .questions import Ask
from .rows import COLUMNS, COLUMNS_OF_ALL, ORDERS, Row, detail, fits, style, summary
from .watching import Watching

EMPTY = "no containers"


class Overview(Acting):
    """A line for each container, what is left out of the line that has the cursor, and the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("why", "job", actors=False),
        binding("/", "find", "find", show=True),
        binding("o", "order", "order", show=True),
    ]

    def __init__(self, watching: Watching) -> None:
        """Args:
        watching: what is known of containers.
        """
        super().__init__()
        self._watching = watching
        self._words = ""
        self._orders = [name for name in ORDERS if watching.everyone or name != "user"]
        self._head = Static(markup=False, classes="head")
        columns = COLUMNS_OF_ALL if watching.everyone else COLUMNS
        self.listing = Listing[Card, Row](columns, watching.row, style, EMPTY)
        self._detail = Static(markup=False, classes="detail")

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._head
        yield self.listing
        yield self._detail
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Show what there is."""
        self.tick()

    def subject(self) -> Card | None:
        """The container that has the cursor."""
        return self.listing.current

    def tick(self) -> None:
        """Show what has changed."""
        now = time.time()
        cards = [card for card in self._watching.cards() if fits(card, self._words)]
        order = ORDERS[self._orders[0]]
        self.listing.show(sorted(cards, key=lambda card: order(card, now)))
        words = f"  with “{self._words}”" if self._words else ""
        self._head.update(f"{summary(cards)}{words}  ({self._orders[0]})")
        self._show_detail()

    def on_screen_resume(self) -> None:
        """It is seen again."""
        self.tick()

    def on_listing_moved(self) -> None:
        """Another row has the cursor."""
        self._show_detail()

    def on_listing_chosen(self) -> None:
        """Open the container."""
        card = self.subject()
        if card is not None:
            self.app.push_screen(Page(self._watching, card))

    def action_order(self) -> None:
        """The next order."""
        self._orders = [*self._orders[1:], self._orders[0]]
        self.tick()

    def action_find(self) -> None:
        """Ask which rows are wanted."""

        def begin(words: str | None) -> None:
            self._words = words or ""
            self.tick()

        self.app.push_screen(Ask("only rows with these words", self._words), begin)

    def _show_detail(self) -> None:
        card = self.subject()
        self._detail.update(detail(self._watching.row(card)) if card is not None else "")
