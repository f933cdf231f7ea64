"""What the documents show as printed by scrun, and lists of names in their sentences."""

from __future__ import annotations

import json
import re
import signal
import typing

from actors.anchor import loop
from proto import __version__
from proto.wire import registry
from scrun.doctor import finding
from tests.unit.docs import markdown, speakers

README = markdown.text("README.md")
OPERATIONS = markdown.flat("docs/operations.md")


def test_the_version() -> None:
    shown = re.search(r"prints `scrun version ([\d.]+)`", markdown.flat("docs/install.md"))
    newest = re.search(r"^## \[([\d.]+)\]", markdown.text("CHANGELOG.md"), re.MULTILINE)
    assert shown is not None
    assert newest is not None
    assert __version__ == shown[1] == newest[1]


def test_the_processes_that_the_console_shows() -> None:
    block = re.search(r"\$ scrun console .*\n.*\n((?:\w.*\n)+)```", README)
    assert block is not None
    shown = [row.split()[0] for row in block[1].splitlines()]
    # Who was never needed is not in the tree.
    assert shown == [name for name in ("anchor", "guard", *speakers.ACTORS, "job", "step") if name in shown]
    assert {"anchor", "guard", "state", "step"} <= set(shown)


def test_the_facts_that_the_tap_shows() -> None:
    lines = re.findall(r'^\{"topic".*', README, re.MULTILINE)
    assert len(lines) > 3
    for line in lines:
        shown = json.loads(line.replace(", …", ""))
        layer, actor, word = shown["topic"].split(".")
        fact = registry.class_of(word)
        assert layer in speakers.layers()
        assert actor in speakers.makers(fact.__name__)
        assert tuple(shown["data"]) == fact.__fields__


def test_the_folders_of_the_repository() -> None:
    rows = {row[0].strip("`/"): row[1] for row in markdown.table("README.md", "The repository", "").rows}
    assert all((markdown.CHECKOUT / name).is_dir() for name in rows)
    code = {path.parent.name for path in markdown.CHECKOUT.glob("*/__init__.py")}
    assert code < set(rows)
    tests = {path.name for path in (markdown.CHECKOUT / "tests").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert tests == {name for name in markdown.spans(rows["tests"]) if not name.startswith("make ")}


def test_the_signals_that_the_anchor_passes_on() -> None:
    sentence = re.search(r"Signals to the anchor: (\w+) cancels .*?; ([A-Z0-9, and]+) go to the program\.", OPERATIONS)
    assert sentence is not None
    named = {sentence[1], *(f"SIG{name}" for name in re.findall(r"[A-Z0-9]{3,}", sentence[2]))}
    assert named == {signal.Signals(number).name for number in loop.RELAYED}


def test_the_words_of_the_doctor() -> None:
    sentence = re.search(r"`scrun doctor` prints a row for each of these; (.*?)\.", OPERATIONS)
    assert sentence is not None
    assert {*markdown.spans(sentence[1]), "ok"} == set(typing.get_args(finding.Level))
