"""``rows.toml``: what is looked at in Slurm's scrun and in this one; and the page that tells what was seen."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib
from typing import TYPE_CHECKING

from tests.conformance.table import replace, section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = pathlib.Path(__file__).resolve().parent
PRELUDE = HERE / "prelude"
PAGE = HERE.parents[1] / "docs/comparison.md"
LONGEST = 300
"""Characters of a cell: a program that says more is cut."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One of them.

    Attributes:
        title: a word for it; no two are the same.
        script: for bash, after ``prelude``; empty for what no command can show.
        theirs, ours: what is known of such a row.
        why: it has no script.

    """

    title: str
    script: str = ""
    theirs: str = ""
    ours: str = ""
    why: str = ""


@dataclasses.dataclass(frozen=True)
class Seen:
    """What the two programs did with a row, as its script told it; in the form of the page's cells."""

    theirs: str
    ours: str


def read(path: pathlib.Path = HERE / "rows.toml") -> tuple[Row, ...]:
    """All rows, in their order.

    Raises:
        ValueError: a row has neither a script nor words and a reason, or both, or another's title.

    """
    rows = tuple(Row(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["row"])
    for row in rows:
        if bool(row.script) == bool(row.theirs and row.ours and row.why):
            raise ValueError(f"{row.title}: either a script, or theirs, ours and why")
    if len({row.title for row in rows}) < len(rows):
        raise ValueError("two rows have one title")
    return rows


def kept(text: str) -> dict[str, Seen]:
    """What the page has of each row that was run, by its title."""
    lines = [line for line in section(text, "seen").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return {title: Seen(theirs, ours) for title, theirs, ours in cells if title}


def page(text: str, rows: Sequence[Row], seen: Mapping[str, Seen], on: str) -> str:
    """The page's text with its tables made anew; ``seen`` is by title, ``on`` tells with what it was seen."""
    shown = [row for row in rows if row.script]
    table = [on, "", "| | Slurm's scrun | this scrun |", "|---|---|---|"]
    table += [_line(row.title, seen[row.title].theirs, seen[row.title].ours) for row in shown]
    told = ["| | Slurm's scrun | this scrun | why it is not run |", "|---|---|---|---|"]
    told += [_line(row.title, row.theirs, row.ours, row.why) for row in rows if row.why]
    scripts = [f"**{row.title}**\n\n```bash\n{row.script.strip()}\n```\n" for row in shown]
    for name, lines in (("seen", table), ("told", told), ("scripts", scripts)):
        text = replace(text, name, "\n".join(lines))
    return text


def cell(said: str) -> str:
    """Lines of a script as one cell."""
    said = "; ".join(line.strip() for line in said.splitlines() if line.strip())
    said = said if len(said) <= LONGEST else said[:LONGEST] + "…"
    return said.replace("|", "\\|").replace("<", "\\<").replace("*", "\\*").replace("_", "\\_")


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"
