"""docs/conformance.md, cases.toml and the tests say the same."""

from __future__ import annotations

import ast
import pathlib

from tests.conformance import bats, table

HERE = pathlib.Path(__file__).resolve().parent
TABLE = table.read()
TEXT = table.DOCUMENT.read_text()


def test_every_word_is_explained_and_every_reason_used() -> None:
    words = {*TABLE.bats.values(), *TABLE.other_files.values()} - {table.PASS}
    words |= {value for value in TABLE.validation.values() if isinstance(value, str)}
    assert words == set(TABLE.reasons)


def test_the_slice_is_of_cases_that_pass() -> None:
    assert [case for case in TABLE.slice if TABLE.bats.get(case) != table.PASS] == []


def test_the_document_is_made_of_the_table() -> None:
    """The column of runc is of the run that made it; all else is in the table."""
    runc = {
        (row[0], row[1]): bats.Outcome(bats.PASSED if row[2] == table.PASS else row[2])
        for row in table.rows(table.section(TEXT, "bats"))
        if len(row) == 5
    }
    assert set(TABLE.bats) <= set(runc)
    assert table.document(TABLE, TEXT, runc) == TEXT


def test_runc_passes_what_is_not_excused_by_it() -> None:
    rows = [row for row in table.rows(table.section(TEXT, "bats")) if len(row) == 5]
    passed = {(row[0], row[1]) for row in rows if row[2] == table.PASS}
    assert [case for case, verdict in TABLE.bats.items() if verdict == "baseline" and case in passed] == []


def test_every_function_that_is_named_is_there_and_the_other_way_round() -> None:
    named = {name for value in TABLE.validation.values() if isinstance(value, tuple) for name in value}
    there = {
        node.name
        for path in HERE.glob("test_validation_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert named == there
