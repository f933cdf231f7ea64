"""The slice of runc's bats that every run of the tests holds scrun to, and how their output is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance import bats, table
from tests.conftest import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping

TABLE = table.read()


@pytest.fixture(scope="module")
def outcomes() -> Mapping[bats.Case, bats.Outcome]:
    bats.prepare()
    return bats.run("scrun", "user", dict.fromkeys(file for file, _ in TABLE.slice), TABLE.slice)


@pytest.mark.parametrize("case", TABLE.slice, ids=": ".join)
def test_runc(case: bats.Case, outcomes: Mapping[bats.Case, bats.Outcome]) -> None:
    if case == ("version", "runc version") and not (CHECKOUT / ".git").is_dir():
        pytest.skip("scrun tells the commit where the checkout has its repository")
    outcome = outcomes.get(case, bats.Outcome("not run"))
    assert outcome.verdict == bats.PASSED, outcome.detail


def test_output_is_read() -> None:
    tap = """1..4
ok 1 runc create
not ok 2 runc exec [tty] (x) in 12ms
# (in test file x.bats, line 1)
#   `false' failed
ok 3 third # skip test requires root
not ok 4 fourth # number 4
"""
    assert bats.parse(tap) == {
        "runc create": bats.Outcome(bats.PASSED),
        "runc exec [tty] (x) in 12ms": bats.Outcome(bats.FAILED, "(in test file x.bats, line 1)\n`false' failed"),
        "third": bats.Outcome(bats.SKIPPED, "test requires root"),
        "fourth # number 4": bats.Outcome(bats.FAILED),
    }


def test_what_has_passed_may_not_fail() -> None:
    expected = {("a", name): "pass" for name in ("passes", "fails", "is skipped", "hangs")} | {("a", "other"): "exec"}
    found = {
        ("a", "passes"): bats.Outcome(bats.PASSED),
        ("a", "fails"): bats.Outcome(bats.FAILED, "why"),
        ("a", "is skipped"): bats.Outcome(bats.SKIPPED),
        ("a", "other"): bats.Outcome(bats.FAILED),
    }
    assert bats.compare(expected, found) == [
        "a.bats: fails: failed\nwhy", "a.bats: is skipped: skipped\n", "a.bats: hangs: not run\n",
    ]  # fmt: skip
