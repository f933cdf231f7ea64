"""``cases.toml``, which says what has to pass and why the rest does not apply, and the document that is made of it."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib
from typing import TYPE_CHECKING

from .bats import FAILED, PASSED, Case, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = HERE.parent.parent / "docs/conformance.md"
PASS = "pass"


@dataclasses.dataclass(frozen=True)
class Table:
    """What is expected.

    Attributes:
        reasons: word to sentence.
        bats: ``pass`` or the word of a reason, for each case of each file that is run.
        slice: the cases that ``make test`` runs, too.
        other_files: files of which no case is run, with the word of a reason.
        validation: cases of runtime-tools: the functions that restate them, or the word of a reason.

    """

    reasons: Mapping[str, str]
    bats: Mapping[Case, str]
    slice: tuple[Case, ...]
    other_files: Mapping[str, str]
    validation: Mapping[str, tuple[str, ...] | str]

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(file for file, _ in self.bats))


def read(path: pathlib.Path = HERE / "cases.toml") -> Table:
    found = tomllib.loads(path.read_text())
    return Table(
        reasons=found["reasons"],
        bats={(file, case): verdict for file, cases in found["bats"].items() for case, verdict in cases.items()},
        slice=tuple((file, case) for file, cases in found["slice"].items() for case in cases),
        other_files=found["other-files"],
        validation={
            case: tuple(value) if isinstance(value, list) else value for case, value in found["validation"].items()
        },
    )


def document(table: Table, text: str, runc: Mapping[Case, Outcome], user: Mapping[Case, Outcome]) -> str:
    """The document's text with its tables made anew; what runc did, and scrun called by a user, is of one run."""
    passed = sum(verdict == PASS for verdict in table.bats.values())
    apply = sum(verdict not in _not_ours(table) for verdict in table.bats.values())
    rest = f"{apply - passed} could and do not yet" if apply > passed else "the others do not apply, as their rows say"
    bats = [f"{passed} of {len(table.bats)} cases pass; {rest}.", ""]
    bats += ["| file | case | runc | scrun | by a user | why not |", "|---|---|---|---|---|---|"]
    for (file, case), verdict in table.bats.items():
        scrun, reason = (PASS, "") if verdict == PASS else ("no", verdict)
        bats.append(_row(file, case, _word(runc, (file, case)), scrun, _word(user, (file, case)), reason))
    bats += ["", "No case of these files is run:", "", "| file | why not |", "|---|---|"]
    bats += [_row(file, reason) for file, reason in table.other_files.items()]
    validation = ["| case | scrun | test or why not |", "|---|---|---|"]
    for case, value in table.validation.items():
        tests = ", ".join(f"`{name}`" for name in value) if isinstance(value, tuple) else ""
        validation.append(_row(case, PASS, tests) if tests else _row(case, "no", str(value)))
    reasons = ["| | |", "|---|---|", *(_row(word, sentence) for word, sentence in table.reasons.items())]
    for name, lines in (("bats", bats), ("validation", validation), ("reasons", reasons)):
        text = replace(text, name, "\n".join(lines))
    return text


def _not_ours(table: Table) -> set[str]:
    return {word for word in table.reasons if word != "open"}


def _word(found: Mapping[Case, Outcome], case: Case) -> str:
    verdict = found.get(case, Outcome("not run")).verdict
    return {PASSED: PASS, FAILED: "no"}.get(verdict, verdict)


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def section(text: str, name: str) -> str:
    """What the document has between the two marks of a name."""
    match = _marks(name).search(text)
    assert match, name
    return match[2]


def replace(text: str, name: str, body: str) -> str:
    return _marks(name).sub(lambda match: f"{match[1]}\n{body}\n{match[3]}", text)


def _marks(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->)(.*?)(<!-- end of {name} -->)", re.DOTALL)


def rows(text: str) -> list[list[str]]:
    """The cells of all tables in a text, without headings."""
    return [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in text.splitlines()
        if line.startswith("| ")
    ]


def columns(text: str) -> tuple[dict[Case, Outcome], dict[Case, Outcome]]:
    """What the document says of runc, and of scrun called by a user."""
    found = [row for row in rows(section(text, "bats")) if len(row) == 6]
    words = {PASS: PASSED, "no": FAILED}
    return (
        {(row[0], row[1]): Outcome(words.get(row[2], row[2])) for row in found},
        {(row[0], row[1]): Outcome(words.get(row[4], row[4])) for row in found},
    )
