"""Rows as text or as JSON: all at once, or one by one as they come."""

import json
from collections.abc import Iterable

from scrun.report.lines import printable

from .command import Row


def table(columns: tuple[str, ...], rows: Iterable[Row], *, as_json: bool) -> str:
    """All rows: aligned below their header, or a JSON array of objects."""
    if as_json:
        return json.dumps([dict(zip(columns, row, strict=True)) for row in rows], indent=2) + "\n"
    cells = [columns, *(tuple(map(_text, row)) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    return "".join(f"{line}\n" for line in lines)


def line(columns: tuple[str, ...], row: Row, *, as_json: bool) -> str:
    """One row that has just come: its cells, or a JSON object."""
    text = json.dumps(dict(zip(columns, row, strict=True))) if as_json else "  ".join(map(_text, row))
    return f"{text}\n"


def _text(cell: object) -> str:
    """A cell for people: nothing in it moves a terminal's cursor, and an empty one is seen."""
    if isinstance(cell, float):
        return f"{cell:.3f}"
    text = json.dumps(cell) if isinstance(cell, dict | list) else str("" if cell is None else cell)
    return printable(text) or "-"
