"""A list of any length, of which only what is seen is looked at and drawn: textual's line API."""

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.events import Click, Resize
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from .columns import Column, fitting, line


class Item(Protocol):
    """What has a row."""

    @property
    def key(self) -> Hashable:
        """Tells it from all others."""


ItemT = TypeVar("ItemT", bound=Item)
RowT = TypeVar("RowT")

HEAD = 1
"""Lines above the rows: the titles."""
PLAIN = Style()
TITLES = Style(bold=True, reverse=True)


class Listing(ScrollView, Generic[ItemT, RowT], can_focus=True):
    """Rows of items, with a cursor that stays with its item."""

    DEFAULT_CSS = """
    Listing { scrollbar-size-vertical: 1; overflow-x: hidden; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Up", show=False),
        Binding("down", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed on a row, or the row that has the cursor was clicked."""

    class Moved(Message):
        """The cursor is on another item."""

    def __init__(
        self, columns: Sequence[Column[RowT]], look: Callable[[ItemT], RowT], style: Callable[[RowT], Style], empty: str
    ) -> None:
        """Args:
        columns: what is shown.
        look: makes of an item what the columns show; called for items that are seen, once for each ``refresh_rows``.
        style: of its row.
        empty: what is shown where there are no items.
        """
        super().__init__()
        self._columns = columns
        self._look = look
        self._style = style
        self._empty = empty
        self._items: Sequence[ItemT] = ()
        self._at = 0
        self._drawn: dict[int, tuple[str, Style]] = {}

    @property
    def current(self) -> ItemT | None:
        """The item that has the cursor."""
        return self._items[self._at] if self._items else None

    def show(self, items: Sequence[ItemT]) -> None:
        """Show these items; the cursor stays with its own, if that is still there."""
        current = self.current
        self._items = items
        if current is not None:
            found = (index for index, item in enumerate(items) if item.key == current.key)
            self._at = next(found, min(self._at, max(0, len(items) - 1)))
        self.virtual_size = Size(self.size.width, len(items) + HEAD)
        if self.current is not current:
            self._follow()
            self.post_message(self.Moved())
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Look again at what is seen, and draw the lines that have changed."""
        old, self._drawn = self._drawn, {}
        top = self.scroll_offset.y
        for y in range(self.size.height):
            if old.get(y) != self._line(y, top):
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """A line of the widget."""
        text, style = self._line(y, self.scroll_offset.y)
        return Strip([Segment(text, self.rich_style + style)]).adjust_cell_length(self.size.width)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Other rows are seen."""
        self._drawn.clear()
        super().watch_scroll_y(old_value, new_value)

    def on_resize(self, event: Resize) -> None:
        """Other columns fit."""
        del event
        self._drawn.clear()
        self.virtual_size = Size(self.size.width, len(self._items) + HEAD)
        self._follow()
        self.refresh()

    def on_click(self, event: Click) -> None:
        """Put the cursor there; on the second time it is chosen."""
        at = self.scroll_offset.y + event.y - HEAD
        if not 0 <= at < len(self._items) or event.y < HEAD:
            return
        if at == self._at:
            self.action_choose()
        self._put(at)

    def action_move(self, rows: int) -> None:
        """Move the cursor."""
        self._put(self._at + rows)

    def action_page(self, pages: int) -> None:
        """Move it by what is seen."""
        self._put(self._at + pages * max(1, self.size.height - HEAD))

    def action_jump(self, at: int) -> None:
        """Move it to the first or the last row."""
        self._put(at % len(self._items) if self._items else 0)

    def action_choose(self) -> None:
        """Say that the current item is meant."""
        if self._items:
            self.post_message(self.Chosen())

    def _put(self, at: int) -> None:
        at = max(0, min(at, len(self._items) - 1))
        if at != self._at:
            self._at = at
            self._follow()
            self.post_message(self.Moved())
            self.refresh_rows()

    def _follow(self) -> None:
        """Scroll to where the cursor is."""
        top, room = self.scroll_offset.y, max(1, self.size.height - HEAD)
        wanted = min(max(top, self._at - room + 1), self._at)
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def _line(self, y: int, top: int) -> tuple[str, Style]:
        """Text and style of a line; made once until ``refresh_rows``."""
        if y not in self._drawn:
            self._drawn[y] = self._made(y, top + y - HEAD)
        return self._drawn[y]

    def _made(self, y: int, index: int) -> tuple[str, Style]:
        width = self.size.width
        shown = fitting(self._columns, width)
        if y < HEAD:
            return line(shown, [column.title for column in shown], width), TITLES
        if index >= len(self._items):
            return (f"{self._empty if not self._items and y == HEAD else '':{width}}")[:width], PLAIN
        row = self._look(self._items[index])
        style = self._style(row) + Style(reverse=index == self._at and self.has_focus)
        return line(shown, [column.cell(row) for column in shown], width), style
