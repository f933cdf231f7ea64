"""Columns of a list: what is shown of a row, in which width, and what goes first where there is no room. Pure."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from proto.value import Value
from scrun.report.lines import printable

T = TypeVar("T")

GAP = 1
LEAST = 12
"""Characters that the last column wants before another one is shown."""
UNITS = "BKMGTP"


class Column(Value, Generic[T]):
    """One column.

    Attributes:
        title: above it.
        width: in characters; 0 for the last one, which gets what is left.
        cell: the text for a row.
        rank: the columns of the highest one go first where there is no room; those of 0 stay.
        right: whether it is a number.

    """

    title: str
    width: int
    cell: Callable[[T], str]
    rank: int = 0
    right: bool = False


def fitting(columns: Sequence[Column[T]], width: int) -> list[Column[T]]:
    """The columns that are shown in so many characters."""
    shown = list(columns)
    while len(shown) > 1 and sum(column.width + GAP for column in shown) + LEAST - GAP > width:
        least = max(shown, key=lambda column: column.rank)
        if not least.rank:
            break
        shown.remove(least)
    return shown


def line(columns: Sequence[Column[T]], texts: Sequence[str], width: int) -> str:
    """Texts below one another, each cut where its column ends: one line of exactly so many characters."""
    cells = []
    for column, cell in zip(columns, texts, strict=True):
        text = printable(cell)  # a process may call itself anything
        size = column.width or len(text)
        cut = text if len(text) <= size else f"{text[: size - 1]}…"
        cells.append(cut.rjust(size) if column.right else cut.ljust(size))
    whole = (" " * GAP).join(cells)
    return whole.ljust(width) if len(whole) <= width else f"{whole[: width - 1]}…"


def size(number: float | None, unit: str = "B") -> str:
    """A number of bytes in at most five characters, such as ``1.5M``; empty if it is not known.

    Args:
        number: how many.
        unit: what it counts: bytes, or K for KiB.

    """
    if number is None:
        return ""
    place = UNITS.index(unit)
    while number >= 999.5 and place < len(UNITS) - 1:
        number, place = number / 1024, place + 1
    digits = 1 if number < 9.95 and place else 0
    return f"{number:.{digits}f}{UNITS[place] if number and place else ''}"


def percent(share: float | None) -> str:
    """A share of one processor."""
    return "" if share is None else f"{min(9999, round(100 * share))}%"
