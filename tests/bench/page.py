"""``docs/performance.md`` and its picture, made of what a bench has measured.

``python -m tests.bench --json FILE`` measures, ``python -m tests.bench.page FILE`` keeps that as
``docs/performance.json``, or, if Slurm's scrun was beside it, as ``docs/performance-peer.json``, and draws both anew;
without FILE they are drawn of what is kept.
"""

from __future__ import annotations

import json
import pathlib
import sys
from html import escape
from typing import TYPE_CHECKING, Any

from tests.conformance.table import replace

from .rows import LATE, number, quantile, row_from_json, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .rows import Row

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
DATA, PAGE, PICTURE = DOCS / "performance.json", DOCS / "performance.md", DOCS / "performance.svg"
PEER = DOCS / "performance-peer.json"
SHARES = (0.5, 0.9, 0.95, 0.99)
LEAST = 20
"""Values that a row has to have to be drawn: of fewer there are no tails."""
WIDTH, LABEL, LINE = 760, 230, 22


def table(facts: dict[str, Any], rows: Sequence[Row]) -> str:
    """The rows in Markdown, below a line that says on what they were measured."""
    lines = [
        _measured_on(facts),
        "",
        "| | median | p90 | p95 | p99 | | n | against | ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if not row.values:
            continue
        late = [number(quantile(row.values, share)) if len(row.values) >= LEAST else "" for share in SHARES[1:]]
        against = f"{row.against}: {number(quantile(row.base, 0.5))}" if row.base else ""
        cells = (_what(row), number(quantile(row.values, 0.5)), *late, row.unit, str(len(row.values)), against)
        lines.append(_line(*cells, _ratio(row)))
    return "\n".join(lines)


def ratios(facts: dict[str, Any], rows: Sequence[Row]) -> str:
    """The rows that have Slurm's scrun beside them in Markdown, with what is aimed at."""
    lines = [
        _measured_on(facts),
        "",
        "| | median | p90 | p99 | | n | against | median | p90 | p99 | ratio | aim |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        middles = [number(quantile(values, 0.5)) if values else "" for values in (row.values, row.base)]
        ours = (_what(row), middles[0], *spread(row.values, LATE), row.unit, str(len(row.values)))
        theirs = (row.against, middles[1], *spread(row.base, LATE))
        lines.append(_line(*ours, *theirs, _ratio(row), row.aim))
    notes = dict.fromkeys(row.note for row in rows if row.note)
    return "\n".join([*lines, "", *(f"* {note}" for note in notes)])


def _measured_on(facts: dict[str, Any]) -> str:
    on = ", ".join(str(facts[key]) for key in ("date", "machine", "slurm", "podman", "crun") if facts.get(key))
    return f"Measured on {on}, Python {facts['python']}; load {facts['load_before']:.1f} before."


def _what(row: Row) -> str:
    return f"**{row.what}**" if not row.what.startswith(" ") else row.what.strip()


def _ratio(row: Row) -> str:
    return "" if row.ratio is None else f"{row.ratio:.2f}"


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def picture(rows: Sequence[Row]) -> str:
    """An SVG: of each row of milliseconds a line from its tenth to its 99th hundredth, with marks at median and p95."""
    shown = [row for row in rows if row.unit == "ms" and len(row.values) >= LEAST]
    longest = max((quantile(row.values, 0.99) for row in shown), default=1.0)
    height = LINE * (len(shown) + 2)

    def x(value: float) -> float:
        return round(LABEL + value / longest * (WIDTH - LABEL - 20), 1)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        at = x(share * longest)
        parts.append(f'<line x1="{at}" y1="{LINE}" x2="{at}" y2="{height - LINE}" stroke="#ddd"/>')
        parts.append(
            f'<text x="{at}" y="{height - 6}" text-anchor="middle" font-size="12">{share * longest:.0f} ms</text>'
        )
    for place, row in enumerate(shown, 1):
        y = LINE * place + LINE // 2
        low, middle, late, last = (quantile(row.values, share) for share in (0.1, 0.5, 0.95, 0.99))
        parts.append(
            f'<text x="{LABEL - 10}" y="{y + 4}" text-anchor="end" font-size="12">{escape(row.what.strip())}</text>'
        )
        parts.append(f'<line x1="{x(low)}" y1="{y}" x2="{x(last)}" y2="{y}" stroke="#7aa6d1" stroke-width="6"/>')
        parts.append(f'<circle cx="{x(middle)}" cy="{y}" r="5" fill="#1f4e79"/>')
        parts.append(
            f'<line x1="{x(late)}" y1="{y - 7}" x2="{x(late)}" y2="{y + 7}" stroke="#b3261e" stroke-width="2"/>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def draw(text: str, peer: str) -> tuple[str, str]:
    """Page and picture of a bench's JSON, and of that of one beside Slurm's scrun."""
    page = PAGE.read_text(encoding="utf-8")
    for name, kept, drawn in (("bench", text, table), ("peer", peer, ratios)):
        page = replace(page, name, drawn(*_kept(kept)))
    return page, picture(_kept(text)[1])


def _kept(text: str) -> tuple[dict[str, Any], list[Row]]:
    data = json.loads(text)
    return data["facts"], [row_from_json(row) for row in data["rows"]]


def keep(path: pathlib.Path) -> None:
    """Take what a bench has written for the docs, in lines that a diff can show."""
    found = json.loads(path.read_text(encoding="utf-8"), parse_float=lambda text: round(float(text), 3))
    lines = json.dumps(found, separators=(",", ":")).replace('{"figure"', '\n{"figure"')
    (PEER if "peer" in found["facts"] else DATA).write_text(lines + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        keep(pathlib.Path(sys.argv[1]))
    page, svg = draw(DATA.read_text(encoding="utf-8"), PEER.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")
    PICTURE.write_text(svg, encoding="utf-8")
