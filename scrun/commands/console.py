"""``scrun console``: look into the processes of a container, by one command or at a prompt."""

import os

from proto.errors import UsageError
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.console.command import Command, Question
from scrun.console.form import line as one
from scrun.console.form import table
from scrun.console.table import COMMANDS
from scrun.packages import use_packages
from scrun.report.lines import write


def run(line: Line) -> int:
    """Carry out one command; without one, be a prompt on a terminal, and ``tree`` elsewhere."""
    use_packages()
    words = line.arguments
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
            data = one(command.columns, row, as_json=as_json).encode()
            while data:  # a reader that has gone is the end of this command, unlike of every other one
                data = data[os.write(1, data) :]
    else:
        write(1, table(command.columns, command.rows(question), as_json=as_json))


def _command(words: list[str]) -> tuple[Command, list[str]]:
    name, *arguments = words
    if name not in COMMANDS:
        raise UsageError(f"the console has no command {name[:40]!r}; it has {', '.join(COMMANDS)}")
    command = COMMANDS[name]
    if len(arguments) > len(command.argument.split()):
        raise UsageError(f"{name} takes {command.argument or 'no argument'}, not {' '.join(arguments)[:80]!r}")
    return command, arguments
