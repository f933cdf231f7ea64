"""The completion for bash, as bash itself calls it."""

from __future__ import annotations

import re
import subprocess

import pytest

from distribution import bash
from scrun.cli.grammar import GLOBAL, HELP, LEVELS, VERBS, Option
from scrun.console.table import COMMANDS

SUPPORTED = {verb for verb, row in VERBS.items() if row[0] != "unsupported"}
# What readline takes apart: bash's own COMP_WORDBREAKS.
BREAKS = re.compile(r"(=)")
CALL = """
source /dev/stdin
compopt() { :; }
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_scrun scrun
printf '%s\n' "${COMPREPLY[@]}"
"""


def complete(line: str, *, whole: bool = False) -> set[str]:
    """What is offered at the end of the line; ``whole`` as if ``=`` broke no words."""
    words = line.split(" ")
    if not whole:
        words = [part for word in words for part in (BREAKS.split(word) if "=" in word else [word])]
        # An empty word after the sign is no word of its own.
        words = [word for at, word in enumerate(words) if word or (at == len(words) - 1 and words[at - 1] != "=")]
    argv = ["bash", "--norc", "-c", CALL, "bash", *words]
    done = subprocess.run(argv, input=bash.completion(), capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return set(done.stdout.split())


def spellings(options: tuple[Option, ...]) -> set[str]:
    shown = [option for option in options if option[3] != "-"]
    return {f"--{name}" for option in shown for name in option[0]} | {
        f"-{option[1][0]}" for option in shown if option[1]
    }


def test_verbs_come_first() -> None:
    assert complete("scrun ") == SUPPORTED
    assert complete("scrun st") == {"start", "state"}
    assert complete("scrun --root /x --debug st") == {"start", "state"}
    assert complete("scrun --root=/x -v st") == {"start", "state"}


@pytest.mark.parametrize("verb", sorted(SUPPORTED))
def test_options_of_a_verb(verb: str) -> None:
    assert complete(f"scrun {verb} -") == spellings((*VERBS[verb][3], HELP))


def test_options_of_scrun_itself_are_before_the_verb_only() -> None:
    assert complete("scrun -") == spellings(GLOBAL)
    assert complete("scrun list --ro") == set()


@pytest.mark.parametrize("whole", [True, False])
def test_values_of_a_fixed_set(whole: bool) -> None:
    assert complete("scrun --log-level ", whole=whole) == set(LEVELS.split("|"))
    assert complete("scrun list --format ", whole=whole) == {"table", "json"}
    assert complete("scrun list -f j", whole=whole) == {"json"}
    prefix = "--format=" if whole else ""
    assert complete("scrun list --format=", whole=whole) == {f"{prefix}table", f"{prefix}json"}
    assert complete("scrun list --format=j", whole=whole) == {f"{prefix}json"}


def test_the_value_of_another_verbs_option_is_an_argument() -> None:
    """``-f`` of ``delete`` is a flag, that of ``list`` has a value."""
    assert complete("scrun kill -r ID K") == {"KILL"}
    assert complete("scrun kill --regex ID USR") == {"USR1", "USR2"}


def test_words_of_arguments() -> None:
    assert complete("scrun console ID ") == set(COMMANDS)
    assert complete("scrun help st") == {"start", "state"}
    assert complete("scrun kill -- ID TE") == {"TERM"}
    assert complete("scrun kill ID TERM ") == set()


def test_an_optional_value_is_no_word_of_its_own() -> None:
    assert complete("scrun doctor --nodes --for") == {"--format"}
    assert complete("scrun doctor --nodes=node1 --for") == {"--format"}
    assert complete("scrun doctor --nodes=--for") == set()


def test_the_program_of_exec_has_options_of_its_own() -> None:
    assert complete("scrun exec ID ls --u") == set()
    assert complete("scrun exec --u") == {"--user"}


def test_files_and_directories(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("names")
    (place / "folder").mkdir()
    (place / "file").touch()
    assert complete(f"scrun create --bundle {place}/f") == {f"{place}/folder"}
    assert complete(f"scrun create --pid-file {place}/f") == {f"{place}/folder", f"{place}/file"}


def test_bash_finds_it_by_the_commands_name() -> None:
    shown = subprocess.run(
        ["bash", "--norc", "-c", "source /dev/stdin; complete -p scrun"],
        input=bash.completion(), capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert shown.stdout == "complete -F _scrun scrun\n"
