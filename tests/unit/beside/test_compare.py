"""What is compared, and when a case is what was expected of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from tests.oci.beside import compare, table
from tests.oci.beside.outcome import File, Outcome

SAME = Outcome(b"out\n", b"err\n", 0, {b"f": File("file", 0o644, (0, 0), 1, b"x")}, 1.0)
CASE = table.Case("run", "a-row", "podman", "engine run")


def outcome(**changes: Any) -> Outcome:
    return dataclasses.replace(SAME, **changes)


def case(why: str = "", fault: str = "", *differs: str) -> table.Case:
    return dataclasses.replace(CASE, expected=table.Expectation(why, fault, frozenset(differs)))


DIFFERENT = {
    "stdout": outcome(stdout=b"out"),
    "stderr": outcome(stderr=b"err\r\n"),
    "status": outcome(status=1),
    "files": outcome(files={}),
    "time": outcome(took=SAME.took + compare.ALLOWANCE + 0.1),
}


def test_every_part_is_compared() -> None:
    assert compare.compare(SAME, SAME) == {}
    assert {part: list(compare.compare(SAME, other)) for part, other in DIFFERENT.items()} == {
        part: [part] for part in table.PARTS
    }


@pytest.mark.parametrize(
    "change",
    [{"kind": "link"}, {"mode": 0o600}, {"owner": (0, 1)}, {"links": 2}, {"content": b"y"}],
    ids=lambda change: next(iter(change)),
)
def test_everything_of_a_file_is_compared(change: dict[str, Any]) -> None:
    file = dataclasses.replace(SAME.files[b"f"], **change)
    assert set(compare.compare(SAME, outcome(files={b"f": file}))) == {"files"}


def test_slower_within_the_bound_is_the_same_and_stuck_is_not() -> None:
    assert compare.compare(SAME, outcome(took=SAME.took + compare.ALLOWANCE - 0.1)) == {}
    assert set(compare.compare(SAME, outcome(stuck="without end"))) == {"time"}


def test_no_reason_and_no_difference() -> None:
    assert compare.judge(CASE, SAME, SAME).complaint == ""


@pytest.mark.parametrize("part", table.PARTS)
def test_a_difference_without_a_reason_is_a_failure(part: str) -> None:
    assert compare.judge(CASE, SAME, DIFFERENT[part]).complaint == f"differs in {part}, and no reason is given"


@pytest.mark.parametrize("part", table.PARTS)
def test_a_reason_is_for_what_it_says_and_for_nothing_else(part: str) -> None:
    for reasoned in (case("node", "", part), case("", "broken", part)):
        assert compare.judge(reasoned, SAME, DIFFERENT[part]).complaint == ""
        both = dataclasses.replace(DIFFERENT[part], stdout=b"?", status=99)
        assert "but must in" in compare.judge(reasoned, SAME, both).complaint


def test_a_reason_that_is_no_longer_needed_is_a_failure() -> None:
    verdict = compare.judge(case("node", "", "stdout"), SAME, SAME)
    assert verdict.complaint == "the two agree: the reason 'node' is no longer needed"
    verdict = compare.judge(case("", "broken", "stdout"), SAME, SAME)
    assert verdict.complaint == "the two agree: the fault 'broken' is no longer needed"
    verdict = compare.judge(case("node", "", "stdout", "status"), SAME, DIFFERENT["stdout"])
    assert verdict.complaint == "differs in stdout, but must in status, stdout"


def test_a_row_that_does_not_end_with_runc_is_wrong() -> None:
    assert compare.judge(CASE, outcome(stuck="without end"), SAME).complaint == (
        "the row is wrong: with runc it is without end"
    )


def test_the_report_shows_the_script_and_what_cannot_be_seen() -> None:
    report = compare.judge(CASE, SAME, outcome(stdout=b"out\r\n\xff")).report
    assert report.splitlines() == [
        "run.toml: [a-row] with podman",
        "engine run",
        "--- stdout",
        "--- runc",
        "+++ scrun",
        "@@ -1 +1,2 @@",
        r"-out\n",
        r"+out\r\n",
        r"+\udcff",
    ]
