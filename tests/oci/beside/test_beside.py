"""Side by side: command lines of podman and docker, with runc and with scrun, come to the same."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from tests.oci.beside import compare, stack, table

if TYPE_CHECKING:
    from tests.oci.beside.ahead import Ahead

TABLE = table.read()


# The cases after this one run already.
@pytest.mark.may_leave("children", "descriptors", "threads")
@pytest.mark.parametrize("case", TABLE.cases, ids=lambda case: case.id)
def test_beside(case: table.Case, ahead: Ahead) -> None:
    if case.without and stack.STACKS[case.without]():
        pytest.skip(f"not with {case.without}: see tests/cluster/README.md")
    outcomes = ahead.outcomes(case)
    if case.expected.where and not stack.STACKS[case.expected.where]():
        case = dataclasses.replace(case, expected=table.Expectation())
    verdict = compare.judge(case, *outcomes)
    if verdict.complaint:
        pytest.fail(f"{verdict.complaint}\n{verdict.report}", pytrace=False)
    if case.expected.fault:
        pytest.xfail(case.expected.fault)
