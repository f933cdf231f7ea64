"""Two outcomes held against each other, and against what a row expects of them."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.oci.beside.outcome import File, Outcome
    from tests.oci.beside.table import Case

ALLOWANCE = 15.0
"""Seconds which a script may take longer than with runc: jobs wait for the scheduler, and the machine may be busy."""


@dataclasses.dataclass(frozen=True)
class Verdict:
    """Whether a case has come to what was expected.

    Attributes:
        complaint: what is wrong; empty if nothing is.
        differing: the parts in which the two differ.
        report: the case, for a reader: the script and each difference.

    """

    complaint: str
    differing: frozenset[str]
    report: str


def compare(runc: Outcome, scrun: Outcome) -> dict[str, str]:
    """Each part that differs, with the difference."""
    found = {}
    for part, one, other in (("stdout", runc.stdout, scrun.stdout), ("stderr", runc.stderr, scrun.stderr)):
        if one != other:
            found[part] = _difference(_lines(one), _lines(other))
    if runc.status != scrun.status:
        found["status"] = f"runc: {runc.status}\nscrun: {scrun.status}"
    if runc.files != scrun.files:
        found["files"] = _difference(_listing(runc.files), _listing(scrun.files))
    if scrun.stuck or scrun.took > runc.took + ALLOWANCE:
        found["time"] = f"runc: {runc.took:.1f} s\nscrun: {scrun.took:.1f} s {scrun.stuck}".rstrip()
    return found


def judge(case: Case, runc: Outcome, scrun: Outcome) -> Verdict:
    """Hold the difference against the row."""
    found = compare(runc, scrun)
    expected = case.expected
    differing = frozenset(found)
    complaint = ""
    if runc.stuck:
        complaint = f"the row is wrong: with runc it is {runc.stuck}"
    elif not expected.differs and found:
        complaint = f"differs in {_list(differing)}, and no reason is given"
    elif expected.differs and not found:
        mark = f"the reason {expected.why!r} is" if expected.why else f"the fault {expected.fault!r} is"
        complaint = f"the two agree: {mark} no longer needed"
    elif differing != expected.differs:
        complaint = f"differs in {_list(differing)}, but must in {_list(expected.differs)}"
    return Verdict(complaint, differing, _report(case, found))


def _report(case: Case, found: Mapping[str, str]) -> str:
    pieces = [f"{case.subject}.toml: [{case.name}] with {case.engine}", case.script.strip()]
    pieces += [f"--- {part}\n{difference}" for part, difference in found.items()]
    return "\n".join(pieces)


def _list(parts: frozenset[str]) -> str:
    return ", ".join(sorted(parts))


def _lines(data: bytes) -> list[str]:
    """Lines with their ends visible, so that a carriage return or a missing line feed is seen."""
    return [ascii(line.decode(errors="surrogateescape"))[1:-1] for line in data.splitlines(keepends=True)]


def _listing(files: Mapping[bytes, File]) -> list[str]:
    return [f"{ascii(name)[2:-1]}: {files[name].line()}" for name in sorted(files)]


def _difference(runc: list[str], scrun: list[str]) -> str:
    return "\n".join(difflib.unified_diff(runc, scrun, "runc", "scrun", lineterm="", n=2))
