"""Commands of scrun's in README.md and docs/: verbs and options that the grammar has."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from scrun.cli import grammar
from scrun.doctor.table import CHECKS
from tests.unit.docs import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NO_COMMANDS = {"scrun → actors → proto", *(name for name, _ in CHECKS)}
TABLE = markdown.table("docs/operations.md", "The commands", "command")
TEXT = markdown.flat("docs/operations.md")


def names(options: tuple[grammar.Option, ...]) -> set[str]:
    found = {f"--{name}" for long, _, _, _ in (*options, grammar.HELP) for name in long}
    return found | {f"-{letter}" for _, short, _, _ in (*options, grammar.HELP) for letter in short}


GLOBAL = names(grammar.GLOBAL)
VERBS = {verb: names(options) for verb, (_, _, _, options) in grammar.VERBS.items()}
VALUES = {
    spelling
    for _, _, _, options in (("", "", "", grammar.GLOBAL), *grammar.VERBS.values())
    for option in options
    if option[2] and option[2] != "+" and option[2][0] != "["
    for spelling in names((option,)) - names(())
}


def commands(document: str) -> Iterator[str]:
    """What follows the word scrun, in code spans and at the beginning of a command in a block."""
    text = markdown.text(document)
    spans = markdown.spans(" ".join(markdown.prose(document)))
    lines = [line.removeprefix("$ ") for block in BLOCK.findall(text) for line in block.splitlines()]
    for code in (*(span for span in spans if span not in NO_COMMANDS), *lines):
        for piece in re.split(r"; |\||&&|\$\(", code):
            match = re.match(r"(?:[A-Z_]+=\S+ )?scrun ((?!version \d).*)", piece.strip())
            if match:
                yield match[1].partition(" #")[0]


def faults(command: str) -> list[str]:
    """Words that the grammar does not have; a command of the documents may be cut, and IDs are ID."""
    found: list[str] = []
    verb, skip = "", False
    for word in shlex.split(command.replace("…", ""), posix=True):
        if skip:
            skip = False
        elif word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            if name not in (VERBS[verb] if verb else GLOBAL):
                found.append(word)
            skip = "=" not in word and name in VALUES
        elif not verb:
            if word not in grammar.VERBS:
                return [word]
            verb = word
        elif grammar.VERBS[verb][1].endswith("…]"):
            break
    return found


COMMANDS = sorted({(document, command) for document in markdown.DOCUMENTS for command in commands(document)})


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 40
    assert {command.split()[0] for _, command in COMMANDS} > {"create", "console", "doctor", "tap", "gc", "--root"}


@pytest.mark.parametrize(("document", "command"), COMMANDS)
def test_verbs_and_options_exist(document: str, command: str) -> None:
    assert faults(command) == []


@pytest.mark.parametrize("command", ["nope", "create --nope", "--nope state", "delete --all ID", "state --force ID"])
def test_what_the_grammar_does_not_have_is_a_fault(command: str) -> None:
    assert faults(command)


@pytest.mark.parametrize("document", markdown.DOCUMENTS)
def test_a_verb_with_an_option_alone_in_a_code_span(document: str) -> None:
    """``delete --force`` without the word scrun: of verbs that podman does not have, or has with the same options."""
    spans = markdown.spans(" ".join(markdown.prose(document)))
    shown = [span for span in spans if re.match(r"(?:delete|spec|features|events|gc|tap|doctor|state) -", span)]
    assert [(span, faults(span)) for span in shown if faults(span)] == []


def row(verb: str) -> tuple[str, str, str]:
    """The help text's row. What has no effect here is left out there, too."""
    _, arguments, summary, options = grammar.VERBS[verb]
    told = [f"`--{long[0]}`" for long, _, _, help_text in options if help_text != "-"]
    return f"`{verb} {arguments}`".replace(" `", "`"), " ".join(told), summary


def test_every_verb_has_its_row_and_no_other() -> None:
    assert TABLE.header == ("command", "options", "what it does")
    assert list(TABLE.rows) == [row(verb) for verb in grammar.VERBS]


def test_the_options_of_scrun_itself() -> None:
    sentence = re.search(r"Options of scrun itself stand before the command: (.*?)\. ", TEXT)
    assert sentence is not None
    told = [f"--{long[0]}" for long, _, _, help_text in grammar.GLOBAL if help_text != "-"]
    assert markdown.spans(sentence[1]) == told
