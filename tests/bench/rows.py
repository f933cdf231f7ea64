"""What a measurement is: repeated values, what they are held against, and how the two are summed up. Pure."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies, interpolated between neighbours.

    Raises:
        ValueError: there are no values.

    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def median(values: Sequence[float]) -> float:
    """The middle one."""
    return quantile(values, 0.5)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Attributes:
        figure: which measurement it belongs to.
        what: was measured.
        unit: of the values.
        values: one for each repetition.
        against: what it is held against; empty if nothing.
        base: the values of that, measured in turn with ours.
        aim: what is wished for, in words.
        note: what a reader has to know.

    """

    figure: str
    what: str
    unit: str
    values: tuple[float, ...]
    against: str = ""
    base: tuple[float, ...] = field(default=())
    aim: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Median over median; None where there is nothing to compare."""
        if not self.values or not self.base or not median(self.base):
            return None
        return median(self.values) / median(self.base)

    @property
    def difference(self) -> float | None:
        """Median minus median."""
        return median(self.values) - median(self.base) if self.values and self.base else None

    def as_json(self) -> dict[str, Any]:
        """Everything, with what is derived from it."""
        middle = median(self.values) if self.values else None
        return asdict(self) | {"median": middle, "ratio": self.ratio, "difference": self.difference}


def row_from_json(data: dict[str, Any]) -> Row:
    """The row that ``as_json`` made this of."""
    plain = {key: value for key, value in data.items() if key not in {"median", "ratio", "difference"}}
    return Row(**(plain | {"values": tuple(plain["values"]), "base": tuple(plain["base"])}))


# --- the table ------------------------------------------------------------------

SHARES = {0.1: 2, 0.9: 2, 0.95: 20, 0.99: 100}
"""The quantiles of a line, and how many values each needs: of fewer it would be the last value under another name."""
LATE = (0.9, 0.99)
"""Those of what a row is held against."""
HEAD = (
    "what", "median", *(f"{share * 100:g} %" for share in SHARES),
    "unit", "n", "against", "median", *(f"{share * 100:g} %" for share in LATE), "ratio", "diff", "aim",
)  # fmt: skip
LEFT = frozenset(HEAD.index(word) for word in ("what", "unit", "against", "aim"))
"""Columns of words; the others are numbers."""


def number(value: float) -> str:
    """Three digits that matter, never an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:.{min(digits, 3)}f}"


def cells(row: Row) -> tuple[str, ...]:
    """The texts of one line."""
    middle, base = (number(median(values)) if values else "" for values in (row.values, row.base))
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    sign = "+" if (row.difference or 0) > 0 else ""
    difference = "" if row.difference is None else sign + number(row.difference)
    ours = (row.what, middle or "-", *spread(row.values, SHARES), row.unit, str(len(row.values)))
    return (*ours, row.against, base, *spread(row.base, LATE), ratio, difference, row.aim)


def spread(values: Sequence[float], shares: Iterable[float]) -> list[str]:
    """These quantiles, each where there are values enough for it."""
    return [number(quantile(values, share)) if len(values) >= SHARES[share] else "" for share in shares]


def table(rows: Iterable[Row]) -> str:
    """All rows, aligned, one block for each figure, and the notes below their block."""
    rows = list(rows)
    lines = [HEAD, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]

    def aligned(line: tuple[str, ...]) -> str:
        parts = zip(range(len(line)), line, widths, strict=True)
        return "  ".join(w.ljust(n) if i in LEFT else w.rjust(n) for i, w, n in parts).rstrip()

    text = [aligned(HEAD), "  ".join("-" * width for width in widths)]
    for figure in dict.fromkeys(row.figure for row in rows):
        ours = [row for row in rows if row.figure == figure]
        text += [f"[{figure}]", *(aligned(cells(row)) for row in ours)]
        text += [f"  * {note}" for note in dict.fromkeys(row.note for row in ours if row.note)]
    return "\n".join(text) + "\n"


# --- memory ---------------------------------------------------------------------

MEMORY_KEYS = ("Rss", "Pss", "Private_Clean", "Private_Dirty", "Shared_Dirty")


def parse_smaps(text: str) -> dict[str, float]:
    """The sums of ``/proc/PID/smaps_rollup`` that matter here, in MB (10^6 bytes)."""
    found = dict.fromkeys(MEMORY_KEYS, 0.0)
    for line in text.splitlines():
        key, _, rest = line.partition(":")
        words = rest.split()
        if key in found and len(words) == 2 and words[1] == "kB" and words[0].isdigit():
            found[key] = int(words[0]) * 1024 / 1e6
    return found
