"""docs/comparison.md is made of the rows of tests/compare, and of what was seen when they were run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compare import table
from tests.conformance.table import rows, section

if TYPE_CHECKING:
    import pathlib

ROWS = table.read()
TEXT = table.PAGE.read_text(encoding="utf-8")


def test_the_page_has_the_rows_of_the_table() -> None:
    seen = [row[0] for row in rows(section(TEXT, "seen")) if row[0]]
    told = [row[0] for row in rows(section(TEXT, "told")) if row[0]]
    assert seen == [row.title for row in ROWS if row.script]
    assert told == [row.title for row in ROWS if row.why]


def test_the_commands_on_the_page_are_those_that_were_run() -> None:
    scripts = section(TEXT, "scripts")
    for row in ROWS:
        assert row.script.strip() in scripts, row.title


def test_every_row_was_seen_with_both() -> None:
    assert [row[0] for row in rows(section(TEXT, "seen")) if row[0] and not (row[1] and row[2])] == []


def test_the_page_is_made_anew_from_what_was_seen() -> None:
    told = table.cell("one\n\n  two | *three*\n")
    seen = {row.title: table.Seen(told, table.cell("x" * 1000)) for row in ROWS if row.script}
    text = table.page(TEXT, ROWS, seen, "Seen on a day.")
    assert "Seen on a day." in text
    assert table.kept(text) == seen
    assert told == r"one; two \| \*three\*"
    assert seen[ROWS[0].title].ours == "x" * table.LONGEST + "…"


@pytest.mark.parametrize(
    "row",
    [
        'title = "a"',
        'title = "a"\nscript = "true"\ntheirs = "x"\nours = "y"\nwhy = "z"',
        'title = "a"\ntheirs = "x"\nours = "y"',
        'title = "a"\nscript = "true"\n[[row]]\ntitle = "a"\nscript = "false"',
    ],
)
def test_a_row_is_run_or_has_a_reason(row: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "rows.toml").write_text(f"[[row]]\n{row}\n")
    with pytest.raises(ValueError, match="a"):
        table.read(tmp_path / "rows.toml")
