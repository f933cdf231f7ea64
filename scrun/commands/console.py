"""``scrun console``: look into the processes of a container, by one command, at a prompt, or on the whole terminal."""

import os
import sys

from proto.errors import SettingsError, UsageError
from scrun.cli.parsing import Line
from scrun.cli.root import is_root, root_of
from scrun.console.command import Command, Question
from scrun.console.form import line as one
from scrun.console.form import table
from scrun.console.table import COMMANDS
from scrun.packages import directories, use_packages
from scrun.report.lines import feed, show


def run(line: Line) -> int:
    """Carry out one command; without one, be a prompt on a terminal, and ``tree`` elsewhere."""
    use_packages()
    words = line.arguments
    if line.own.flag("top"):
        return _top(line)
    if not words:
        raise UsageError("scrun console wants a container's id, or --top; scrun list has the ids")
    if len(words) == 1 and words[0] in COMMANDS and not COMMANDS[words[0]].container:
        words = ["", *words]
    container_id, *rest = words
    root = root_of(line)
    if not rest and os.isatty(0) and os.isatty(1) and not line.own:
        from scrun.console.prompt import prompt

        prompt(container_id, lambda typed: carry_out(typed, root, container_id, typed.arguments))
    else:
        carry_out(line, root, container_id, rest or ["tree"])
    return 0


def _top(line: Line) -> int:
    """Be the screen, until it is left.

    Raises:
        UsageError: there is no terminal, or more than one container is named.
        SettingsError: textual is not installed.

    """
    if len(line.arguments) > 1:
        raise UsageError("scrun console --top takes one id, and no command: its keys are the commands")
    if not (os.isatty(0) and os.isatty(1)):
        raise UsageError("scrun console --top wants a terminal; scrun console containers prints what it shows")
    try:
        from scrun.console.screen.start import show as be_the_screen
    except ModuleNotFoundError as error:
        if error.name != "textual":
            raise
        msg = f"scrun console --top needs textual: {sys.executable} -m pip install --target {directories()[0]} textual"
        raise SettingsError(msg) from None
    be_the_screen(line, "" if is_root() and not line.options.text("root") else root_of(line), "".join(line.arguments))
    return 0


def carry_out(line: Line, root: str, container_id: str, words: list[str]) -> None:
    """Print what a command shows.

    Args:
        line: the command line, for its options.
        root: the state directory.
        container_id: which container, or empty.
        words: the command and its argument.

    Raises:
        UsageError: there is no such command, or it takes no such argument.

    """
    command, arguments = _command(words)
    own = line.own
    question = Question(
        root, container_id, arguments,
        follow=own.flag("follow"), yes=own.flag("yes"), actors=own.get("actor", ()), types=own.get("type", ()),
    )  # fmt: skip
    as_json = own.text("format") == "json"
    if command.is_live(question):
        for row in command.rows(question):
            feed(one(command.columns, row, as_json=as_json).encode())
    else:
        show(table(command.columns, command.rows(question), as_json=as_json))


def _command(words: list[str]) -> tuple[Command, list[str]]:
    name, *arguments = words
    if name not in COMMANDS:
        raise UsageError(f"the console has no command {name[:40]!r}; it has {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    if len(arguments) > len(command.argument.split()):
        raise UsageError(f"{name} takes {command.argument or 'no argument'}, not {' '.join(arguments)[:80]!r}")
    return command, arguments
