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
    _, user = table.columns(TEXT)
    assert [case for case in TABLE.slice if TABLE.bats.get(case) != table.PASS] == []
    assert [case for case in TABLE.slice if user[case].verdict != bats.PASSED] == []


def test_the_document_is_made_of_the_table() -> None:
    """The columns of runc and of the user are of the run that made it; all else is in the table."""
    runc, user = table.columns(TEXT)
    assert set(TABLE.bats) <= set(runc)
    assert table.document(TABLE, TEXT, runc, user) == TEXT


def test_the_run_that_made_the_document_agrees_with_the_table() -> None:
    runc, user = table.columns(TEXT)
    assert bats.compare(TABLE.bats, user, (bats.PASSED, bats.SKIPPED)) == []
    excused = [case for case, verdict in TABLE.bats.items() if verdict == "baseline"]
    assert [case for case in excused if runc[case].verdict == bats.PASSED] == []


def test_every_function_that_is_named_is_there_and_the_other_way_round() -> None:
    named = {name for value in TABLE.validation.values() if isinstance(value, tuple) for name in value}
    there = {
        node.name
        for path in HERE.glob("test_validation_*.py")
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert named == there
