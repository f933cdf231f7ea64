"""The tables, links and code spans of README.md and docs/, as far as tests compare them with the code."""

from __future__ import annotations

import functools
import pathlib
import re
from typing import NamedTuple

CHECKOUT = pathlib.Path(__file__).resolve().parents[3]
DOCUMENTS = ("README.md", *sorted(f"docs/{path.name}" for path in (CHECKOUT / "docs").glob("*.md")))
OTHERS = ("CHANGELOG.md", "tests/cluster/README.md", "tests/site/README.md")

NOTHING = "\N{EN DASH}"
"""What stands in a cell that is empty on purpose."""

_SEPARATOR = re.compile(r"\|( ?:?-+:? ?\|)+")
_CELL_BORDER = re.compile(r"(?<!\\)\|")
_SPAN = re.compile(r"`([^`]+)`")


class Table(NamedTuple):
    """A table: the heading that it stands below, its header, and its rows; all cells are text."""

    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> list[str]:
        at = self.header.index(name)
        return [row[at] for row in self.rows]


@functools.cache
def text(document: str) -> str:
    return (CHECKOUT / document).read_text(encoding="utf-8")


def flat(document: str) -> str:
    """The text on one line: a sentence may be broken anywhere."""
    return " ".join(text(document).split())


@functools.cache
def prose(document: str) -> tuple[str, ...]:
    """The lines outside of code blocks; those inside are empty."""
    found, fenced = [], False
    for line in text(document).splitlines():
        fence = line.startswith("```")
        fenced ^= fence
        found.append("" if fence or fenced or line.startswith("    ") else line)
    return tuple(found)


def headings(document: str) -> list[str]:
    return [line.lstrip("#").strip() for line in prose(document) if re.match(r"#+ ", line)]


def anchors(document: str) -> set[str]:
    """What a link may name after ``#``: the headings as web pages of repositories spell them, and ``id`` of tags."""
    found: dict[str, int] = {}
    for heading in headings(document):
        word = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found[word] = found.get(word, -1) + 1
    named = {word if not count else f"{word}-{number}" for word, count in found.items() for number in range(count + 1)}
    return named | set(re.findall(r'<a id="([^"]+)">', text(document)))


@functools.cache
def tables(document: str) -> tuple[Table, ...]:
    found: list[Table] = []
    heading = ""
    lines = iter([*prose(document), ""])
    for line in lines:
        if re.match(r"#+ ", line):
            heading = line.lstrip("#").strip()
        if not line.startswith("|"):
            continue
        header = cells(line)
        assert _SEPARATOR.fullmatch(next(lines)), f"{document}, {heading}: what is below | {header} | is no table"
        rows = []
        for row in lines:
            if not row.startswith("|"):
                break
            rows.append(cells(row))
            assert len(rows[-1]) == len(header), f"{document}, {heading}: a row of another width: {row}"
        found.append(Table(heading, header, tuple(rows)))
    return tuple(found)


def table(document: str, heading: str, first: str) -> Table:
    """The table below that heading whose first column has that name."""
    found = [table for table in tables(document) if (table.heading, table.header[0]) == (heading, first)]
    assert len(found) == 1, f"{document} has {len(found)} tables of {first!r} below {heading!r}"
    return found[0]


def cells(row: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL_BORDER.split(row.strip())[1:-1])


def spans(words: str) -> list[str]:
    """What stands in backticks."""
    return _SPAN.findall(words)
