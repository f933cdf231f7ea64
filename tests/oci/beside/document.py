"""What ``docs/conformance.md`` says of the rows: the reasons, and which rows have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance import table as conformance

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.oci.beside.table import Case, Expectation, Table

MARK = "beside"


def document(table: Table, text: str) -> str:
    """The document's text with its section made anew."""
    return conformance.replace(text, MARK, section(table))


def section(table: Table) -> str:
    reasoned = [case for case in table.cases if case.expected.why]
    faulty = [case for case in table.cases if case.expected.fault]
    rows = len({(case.subject, case.name) for case in table.cases})
    agreeing = len(table.cases) - len(reasoned) - len(faulty)
    lines = [
        (
            f"{rows} rows, {len(table.cases)} with their engines: {agreeing} agree wholly, "
            f"{len(reasoned)} must differ, {len(faulty)} differ and should not."
        ),
        "",
        "| reason | why it must be |",
        "|---|---|",
        *(_row(word, sentence) for word, sentence in table.reasons.items()),
        "",
        "| row | engine | differs in | reason |",
        "|---|---|---|---|",
        *(_row(*_place(case), _reason(case.expected)) for case in reasoned),
        *(_row(*_place(case), f"a fault: {case.expected.fault}") for case in faulty),
    ]
    return "\n".join(lines)


def _place(case: Case) -> Iterable[str]:
    return f"{case.subject}: {case.name}", case.engine, ", ".join(sorted(case.expected.differs))


def _reason(expected: Expectation) -> str:
    return f"{expected.why}, with {expected.where}" if expected.where else expected.why


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
