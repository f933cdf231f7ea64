"""docs/operations.md: files, levels, states, ends, sentences, tables and topics against the code that makes them."""

from __future__ import annotations

import ast
import json
import re
import typing

import pytest

from actors.process import sinks
from actors.slurm import accounting
from actors.slurm.ending import FATAL
from proto import errors, exit_codes
from proto.host.log_record import LEVELS as LOG_LEVELS
from proto.host.paths import ContainerPaths
from proto.life import state_file
from proto.life.ending import EndKind
from scrun.cli import grammar
from scrun.cli.parsing import Line
from scrun.doctor import clocks, finding, limits, node_facts, speed, table, versions
from scrun.report import levels
from tests.process import test_doctor as broken
from tests.unit.creations import creation
from tests.unit.docs import markdown, reachable, sources, speakers

DOCUMENT = "docs/operations.md"
TEXT = markdown.text(DOCUMENT)
FLAT = markdown.flat(DOCUMENT)
FILES = markdown.table(DOCUMENT, "Files", "file")
LEVELS = markdown.table(DOCUMENT, "Log levels", "place")
CHECKS = markdown.table(DOCUMENT, "What doctor looks at", "row")
KNOWN = markdown.table(DOCUMENT, "What doctor looks at", "program")
SETUPS = markdown.table(DOCUMENT, "Hosts that are not as they should be", "what is wrong")
ANNOTATIONS = markdown.table(DOCUMENT, "States and annotations", "annotation")
ENDS = markdown.table(DOCUMENT, "Exit codes", "`scrun.end`")
STATUSES = markdown.table(DOCUMENT, "Exit codes", "exit status")
SENTENCES = markdown.table(DOCUMENT, "What errors mean", "sentence begins")
KILLED = markdown.table(DOCUMENT, "kill -9", "process")
WORDS = markdown.table(DOCUMENT, "The job in the books", "word")


# --- files ---------------------------------------------------------------------------------------------------


def own_files() -> set[str]:
    paths = ContainerPaths("/root", "x")
    values = (getattr(paths, name) for name in ContainerPaths.__slots__)
    inside = {value.removeprefix("/root/x/") for value in values if value.startswith("/root/x/")}
    kept = {path(paths).removeprefix("/root/x/") for path in (state_file._next, state_file._last)}
    return {f"{name}/" if name == "spool" else name for name in inside | kept}


def words_of_commands() -> set[str]:
    """The logs of Slurm's commands: what follows from the names under which they are started; numbers are letters."""
    commands = (call.args[0] for name in ("ask", "act", "path") for call in speakers.calls(name) if call.args)
    names = {sources.pattern(node) for node in commands}
    numbered = {sources.pattern(call.args[1]) for call in speakers.calls("Attempts")}
    numbered |= {sources.pattern(call.args[0]) for call in speakers.calls("_unasked")}
    return {name for name in names if name.strip("…")} | {f"{name}-…" for name in numbered}


def test_every_file_of_a_container_has_a_row_and_no_other() -> None:
    documented = markdown.spans(" ".join(FILES.column("file")))
    assert len(documented) == len(set(documented))
    logs = {name for name in documented if name.endswith(".log")} - own_files()
    assert set(documented) - logs == own_files()
    # The signals actor's deliveries have names of values, and the number of the attempt.
    kinds = {
        sources.pattern(call.args[0])
        for call in speakers.calls("CommandName")
        if isinstance(call.args[0], ast.Constant)
    }
    deliveries = {f"{kind}-N-M.log" for kind in kinds}
    assert deliveries == {name for name in logs if name.endswith("-N-M.log")} != set()
    patterns = {re.sub(r"\bN\b", "…", name.removesuffix(".log")) for name in logs - deliveries}
    assert patterns == words_of_commands() - {"…-…"}


# --- log levels ----------------------------------------------------------------------------------------------


def test_the_levels() -> None:
    line = re.search(r"^`(quiet .*?)`\.", TEXT, re.MULTILINE)
    assert line is not None
    assert line[1].replace("debug2 …", "debug2 debug3 debug4").split() == list(LOG_LEVELS)


def test_what_each_place_gets_unless_asked() -> None:
    usual = levels.levels(Line(), {})
    numbers = (usual.own, usual.file, usual.stderr, usual.syslog)
    assert [markdown.spans(cell)[0] for cell in LEVELS.column("unless asked")] == [LOG_LEVELS[n] for n in numbers]
    variables = [cell.strip("`") for cell in LEVELS.column("its own variable")]
    assert variables[0] == markdown.NOTHING
    assert {"SCRUN_DEBUG", *variables[1:]} == set(grammar.DEBUG_VARIABLES)
    for at, name in ((1, "file"), (2, "stderr"), (3, "syslog")):
        assert getattr(levels.levels(Line(), {variables[at]: "debug3"}), name) == LOG_LEVELS.index("debug3")
    assert f"`{sinks.SYSLOG}`" in LEVELS.rows[3][0]


# --- states and ends -----------------------------------------------------------------------------------------


def test_every_status_and_phase_that_can_be_is_named() -> None:
    sentence = re.search(r"`scrun state` knows (.*?)\. Finer is `phase` in its last line: (.*?)\. ", FLAT)
    assert sentence is not None
    statuses, phases = (markdown.spans(part) for part in sentence.groups())
    assert sorted(statuses) == sorted({container.status for container in reachable.lives()})
    assert sorted(phases) == sorted({state_file.phase(container) for container in reachable.lives()})


def test_every_annotation_has_a_row() -> None:
    added = set().union(*(state_file.annotations(container) for container in reachable.lives()))
    assert sorted(markdown.spans(" ".join(ANNOTATIONS.column("annotation")))) == sorted(added)
    states = {state_file.annotations(container).get("scrun.job-state") for container in reachable.lives()}
    row = next(row for row in ANNOTATIONS.rows if "job-state" in row[0])
    assert set(markdown.spans(row[1])) == states - {None}


def codes_of(cell: str) -> set[int]:
    """ "its own" is the program's; "128 + N" the signals with which Slurm ends a step, the only ones looked at here."""
    found = {int(number) for number in re.findall(r"\b\d+\b", cell.replace("128 + N", ""))}
    found |= {reachable.OWN} if "its own" in cell else set()
    return found | ({128 + number for number in FATAL} if "128 + N" in cell else set())


def test_every_kind_of_end_has_a_row() -> None:
    kinds = [cell.strip("`") for cell in ENDS.column("`scrun.end`")]
    assert sorted(kinds) == sorted(typing.get_args(EndKind))
    assert set(kinds) == set(reachable.ends())


@pytest.mark.parametrize(("kind", "codes"), [(row[0].strip("`"), row[1]) for row in ENDS.rows])
def test_an_end_has_the_exit_codes_that_the_document_gives_it(kind: str, codes: str) -> None:
    assert codes_of(codes) == set(reachable.ends()[kind])


def test_the_exit_statuses_of_commands() -> None:
    others = {cls.exit_code for cls in errors.BY_CODE.values()}
    assert {int(cell) for cell in STATUSES.column("exit status")} == {
        0, exit_codes.INTERRUPTED, *others, *grammar.EXIT_CODES.values(),
    }  # fmt: skip
    special = {row[1].strip("`"): int(row[0]) for row in STATUSES.rows if row[1].startswith("`")}
    assert special == grammar.EXIT_CODES


# --- sentences -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [word for row in SENTENCES.rows for word in markdown.spans(row[0])])
def test_a_sentence_is_one_of_scruns(words: str) -> None:
    """In one text of the code, in this order, are the parts between the places where something of the user's stands."""
    parts = [part.strip() for part in re.split(r"(?:scrun\.)?…|…?scrun\.toml|\bID\b", words) if part.strip()]
    # What a text leaves open at its beginning, another text may say.
    assert any(in_order(parts, text) or (text[0] == "…" and in_order(parts[1:], text)) for text in sources.texts())


def in_order(parts: list[str], text: str) -> bool:
    for part in parts:
        _, found, text = text.partition(part)
        if not found:
            return False
    return bool(parts)


# --- tables --------------------------------------------------------------------------------------------------


def test_every_check_of_the_doctor_has_a_row() -> None:
    assert [cell.strip("`") for cell in CHECKS.column("row")] == [name for name, _ in table.CHECKS]
    questions = [str(check.__doc__).partition("\n")[0].replace("``", "`") for _, check in table.CHECKS]
    assert CHECKS.column("question") == questions


def test_every_known_fault_has_a_row() -> None:
    assert [row[0] for row in KNOWN.rows] == [
        f"{known.program} of {known.since}" if known.since else known.program for known in versions.KNOWN
    ]
    told = [(", ".join(known.mended), known.sentence, known.source) for known in versions.KNOWN]
    assert [row[1:] for row in KNOWN.rows] == told


def test_every_broken_set_up_has_a_row() -> None:
    assert list(SETUPS.rows) == [
        (name, f"`{setup.row.replace('n1 ', 'NODE ')}`", f"`{setup.level}`") for name, setup in broken.SETUPS.items()
    ]


def test_the_numbers_of_the_doctor() -> None:
    for words in (
        f"up to {limits.TASKS} processes and threads", f"fewer than {limits.FEW} containers",
        f"from {clocks.NOTICED:g} s on it is a warning, from {clocks.FATAL:g} s on a fault",
        f"{speed.FILES} small files and one of {speed.MEBIBYTES} MiB",
        f"Below {speed.SLOW_FILES} files/s or {speed.SLOW_BYTES} MiB/s",
    ):  # fmt: skip
        assert words in FLAT
    example = re.search(r"\$ scrun doctor --format json\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    [row] = json.loads(example[1].rstrip().rstrip(",") + "]")
    assert list(row) == ["check", *finding.Finding._fields]


def test_the_rows_of_a_node() -> None:
    values = {call.args[0] for call in sources.calls_in(node_facts.__file__, "Row")}
    names = {sources.pattern(node).replace("…", "NODE") for node in values} | {"NODE container", "NODE overlays"}
    sentence = re.search(r"With `--nodes` each node adds (.*?), a container that", FLAT)
    assert sentence is not None
    assert set(markdown.spans(sentence[1])) == names


def test_rows_of_the_doctor_that_other_documents_name() -> None:
    named = re.findall(r"\brow `([^`]+)`", markdown.flat("docs/install.md"))
    assert named
    assert set(named) <= {name for name, _ in table.CHECKS}


def test_every_actor_may_be_killed() -> None:
    assert set(markdown.spans(KILLED.rows[0][0])) == set(speakers.ACTORS)


def test_every_word_of_the_comment_has_a_row() -> None:
    comment = accounting.comment(creation(name="web", image="nginx", host="login1"))
    assert [cell.strip("`") for cell in WORDS.column("word")] == re.findall(r"scrun[\w-]*:", comment)
