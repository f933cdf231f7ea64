"""The application: what both screens look like, and the second that passes."""

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from .acting import Acting
from .overview import Overview
from .page import Page
from .watching import Watching

EVERY = 1.0
"""Seconds between two looks, and so between two changes of the screen."""


class Top(App[None]):
    """All containers, and one of them."""

    TITLE = "scrun console --top"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; }
    .head { height: 1; text-style: bold; text-wrap: nowrap; text-overflow: ellipsis; }
    .detail { height: 2; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
    .life { height: 6; text-wrap: nowrap; text-overflow: ellipsis; }
    .tabs { height: 1; }
    Listing, ContentSwitcher { height: 1fr; }
    Log, Log:focus { scrollbar-size: 0 1; background: $background; background-tint: $foreground 0%; }
    ModalScreen { align: center middle; }
    .window { width: auto; max-width: 90%; height: auto; padding: 1 2; background: $panel; border: round $accent; }
    Vertical.window { width: 60; }
    .text { width: 1fr; height: 1fr; background: $background; border: round $accent; }
    .text { overflow-x: auto; scrollbar-size: 0 1; }
    .text .table { width: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "quit", "quit"), Binding("ctrl+c", "quit", show=False)]

    def __init__(self, watching: Watching, container_id: str = "") -> None:
        """Args:
        watching: what is known of containers.
        container_id: the one that is shown at once; empty: all.
        """
        super().__init__()
        self.watching = watching
        self._first = container_id

    def on_mount(self) -> None:
        """Begin with all containers, or with one above them."""
        self.watching.look()
        self.push_screen(Overview(self.watching))
        first = [card for card in self.watching.cards() if self._first and card.id == self._first]
        if first:
            self.push_screen(Page(self.watching, first[0]))
        self.set_interval(EVERY, self.tick)

    def tick(self) -> None:
        """A second has passed: see what has changed, and show it."""
        self.watching.look()
        screens = self.screen_stack  # empty when it is being left: the clock may strike once more
        if screens and isinstance(screens[-1], Acting):
            screens[-1].tick()
