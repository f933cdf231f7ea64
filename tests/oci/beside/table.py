"""The rows: command lines of engines, and in what they may differ between two runtimes, with the reason.

``rows/*.toml`` has a file for each subject, with a table for each row::

    [exit-status]                     # its name
    script = "engine run --rm busybox sh -c 'exit 7'"
    engines = ["podman"]              # both, unless said
    image = "owners"                  # of images.toml; the script has its name as $IMAGE
    terminal = [24, 80]               # the script runs at a terminal of this size
    raw = true                        # nothing is typed before the engine has made the terminal raw
    typed = [["ready", "word\\r"]]     # when the first has appeared, the second is typed
    why = "network"                   # a word of reasons.toml: it must differ …
    differs = ["stdout"]              # … in this, and in nothing else …
    where = "crun before 1.8.2"       # … on such a stack (``stack.STACKS``), and not at all on others
    without = "Slurm 24.11"           # not on such a stack at all
    docker = { fault = "a sentence", differs = ["status"] }   # the same for one engine only

Instead of ``why`` there may be ``fault``: it differs and should not.
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib
from typing import TYPE_CHECKING, Any

from tests.oci.beside.stack import STACKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE = pathlib.Path(__file__).resolve().parent
ENGINES = ("podman", "docker")
PARTS = ("stdout", "stderr", "status", "files", "time")
"""What of the two sides is compared."""

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
EXPECTATION = {"why", "fault", "differs", "where"}
KEYS = {"script", "engines", "image", "terminal", "raw", "typed", "without"} | EXPECTATION | set(ENGINES)


class TableError(Exception):
    """A row, an image or a reason that has not the form."""


@dataclasses.dataclass(frozen=True)
class Expectation:
    """What a row of one engine must come to.

    Attributes:
        why: the word of a reason, if the two must differ.
        fault: a sentence, if they differ and should not.
        differs: the parts that differ, all of them; the others are equal.
        where: a name of ``stack.STACKS`` if it is so on some machines only.

    """

    why: str = ""
    fault: str = ""
    differs: frozenset[str] = frozenset()
    where: str = ""


@dataclasses.dataclass(frozen=True)
class Terminal:
    """A terminal for the script, and what a user types at it."""

    rows: int
    columns: int
    raw: bool = False
    typed: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True)
class Case:
    """A row with one of its engines."""

    subject: str
    name: str
    engine: str
    script: str
    image: str = ""
    terminal: Terminal | None = None
    without: str = ""
    expected: Expectation = Expectation()

    @property
    def id(self) -> str:
        return f"{self.engine}-{self.subject}-{self.name}"


@dataclasses.dataclass(frozen=True)
class Table:
    """All of it; ``images`` has a script that makes the image, and ``reasons`` a sentence, for each name."""

    cases: tuple[Case, ...]
    reasons: Mapping[str, str]
    images: Mapping[str, str]


def read(directory: pathlib.Path = HERE) -> Table:
    """Read and check it.

    Raises:
        TableError: Something has not the form; the sentence names it.

    """
    reasons = tomllib.loads((directory / "reasons.toml").read_text())
    images = tomllib.loads((directory / "images.toml").read_text())
    files = sorted((directory / "rows").glob("*.toml"))
    cases = tuple(case for file in files for case in cases_of(file.stem, tomllib.loads(file.read_text())))
    _check_words("reasons.toml", reasons, (case.expected.why for case in cases))
    _check_words("images.toml", images, (case.image for case in cases))
    return Table(cases, reasons, images)


def cases_of(subject: str, rows: Mapping[str, Any]) -> list[Case]:
    """The cases of one file's rows.

    Raises:
        TableError: A row has not the form.

    """
    found = []
    for name, row in rows.items():
        try:
            found += [_case(subject, name, engine, row) for engine in _engines(name, row)]
        except TableError as error:
            raise TableError(f"{subject}.toml: {name}: {error}") from None
    return found


def _engines(name: str, row: Any) -> tuple[str, ...]:
    if not NAME.fullmatch(name):
        raise TableError("is no name: small letters, digits, and - between them")
    if not isinstance(row, dict) or not str(row.get("script", "")).strip():
        raise TableError("has no script")
    if unknown := row.keys() - KEYS:
        raise TableError(f"has an unknown key: {', '.join(sorted(unknown))}")
    engines = tuple(row.get("engines", ENGINES))
    if not engines or len(set(engines)) < len(engines) or not set(engines) <= set(ENGINES):
        raise TableError(f"has no such engines: {engines}")
    if strange := [engine for engine in ENGINES if engine in row and engine not in engines]:
        raise TableError(f"is not for {strange[0]}")
    return engines


def _case(subject: str, name: str, engine: str, row: Mapping[str, Any]) -> Case:
    own = row.get(engine, {})
    if unknown := own.keys() - EXPECTATION:
        raise TableError(f"has an unknown key for {engine}: {', '.join(sorted(unknown))}")
    return Case(
        subject=subject,
        name=name,
        engine=engine,
        script=row["script"],
        image=row.get("image", ""),
        terminal=_terminal(row),
        without=_without(row),
        expected=_expectation(own or row),
    )


def _expectation(row: Mapping[str, Any]) -> Expectation:
    differs = frozenset(row.get("differs", ()))
    if not differs <= set(PARTS):
        raise TableError(f"differs in what is not compared: {', '.join(sorted(differs - set(PARTS)))}")
    marks = [mark for mark in ("why", "fault") if row.get(mark)]
    if len(marks) > 1:
        raise TableError("has both a reason and a fault")
    if bool(marks) != bool(differs):
        raise TableError("needs both or neither: why or fault, and in what it differs")
    where = row.get("where", "")
    if where and not (marks and where in STACKS):
        raise TableError(f"has no difference, or no such stack: {where}")
    return Expectation(row.get("why", ""), row.get("fault", ""), differs, where)


def _terminal(row: Mapping[str, Any]) -> Terminal | None:
    if "terminal" not in row:
        if "raw" in row or "typed" in row:
            raise TableError("types without a terminal")
        return None
    try:
        rows, columns = (int(number) for number in row["terminal"])
        typed = tuple((str(after), str(keys)) for after, keys in row.get("typed", ()))
    except (TypeError, ValueError):
        raise TableError("has no terminal = [rows, columns] or no typed = [[after, keys], …]") from None
    return Terminal(rows, columns, bool(row.get("raw")), typed)


def _without(row: Mapping[str, Any]) -> str:
    without = str(row.get("without", ""))
    if without and without not in STACKS:
        raise TableError(f"there is no such stack: {without}")
    return without


def _check_words(file: str, known: Mapping[str, str], used: Iterable[str]) -> None:
    words = set(used) - {""}
    if missing := words - known.keys():
        raise TableError(f"{file} has not: {', '.join(sorted(missing))}")
    if unused := known.keys() - words:
        raise TableError(f"{file}: nothing needs {', '.join(sorted(unused))}")
