"""The prompt: commands about one container, typed one after the other, with completion and a history."""

import os
import readline
import shlex
from collections.abc import Callable

from proto.errors import ScrunError
from scrun.cli.grammar import VERBS
from scrun.cli.parsing import Line, parse
from scrun.report.lines import one_line, show, write

from .table import COMMANDS, help_text

WORDS = (*COMMANDS, "help", "quit")
HISTORY = 1000
"""Lines that are kept."""


def prompt(container_id: str, carry_out: Callable[[Line], None]) -> None:
    """Read commands and carry them out, until the end of input or ``quit``.

    Args:
        container_id: which container.
        carry_out: does what a line says; its arguments are the command's words.

    """
    history = history_file(dict(os.environ))
    _begin(history)
    try:
        while True:
            try:
                typed = input(f"{one_line(container_id)[:12]}> ")
                if typed.strip():
                    readline.add_history(typed)
                words = shlex.split(typed)
                if words[:1] in (["quit"], ["exit"]):
                    return
                if words:
                    _obey(words, carry_out)
            except EOFError:
                show("\n")
                return
            except KeyboardInterrupt:
                show("\n")  # of a command that follows, or of a line that is not wanted
            except (ScrunError, ValueError) as error:
                write(2, f"scrun: {error}\n")
    finally:
        _end(history)


def _obey(words: list[str], carry_out: Callable[[Line], None]) -> None:
    line = parse(["console", "ID", *words], Line())
    del line.arguments[0]
    if words[0] == "help" or line.own.flag("help"):
        show(help_text())
    else:
        carry_out(line)


def history_file(environ: dict[str, str]) -> str:
    """Where the history is kept: in the user's directory for state (XDG Base Directory); empty if there is none."""
    home = environ.get("HOME", "")
    base = environ.get("XDG_STATE_HOME", "") or (f"{home}/.local/state" if home.startswith("/") else "")
    return f"{base}/scrun/console_history" if base.startswith("/") else ""


def complete(text: str, number: int) -> str | None:
    """Readline's completer: commands at the beginning of the line, options behind them."""
    first = not readline.get_line_buffer()[: readline.get_begidx()].strip()
    options = tuple(f"--{name}" for names, *_ in VERBS["console"][3] for name in names)
    found = [f"{word} " for word in (WORDS if first else options) if word.startswith(text)]
    return found[number] if number < len(found) else None


def _begin(history: str) -> None:
    readline.set_auto_history(False)  # an answer is no command
    readline.set_completer(complete)
    readline.set_completer_delims(" ")
    readline.parse_and_bind("tab: complete")
    readline.set_history_length(HISTORY)
    try:
        if history:
            os.makedirs(os.path.dirname(history), 0o700, exist_ok=True)
            os.close(os.open(history, os.O_CREAT | os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
            readline.read_history_file(history)
    except OSError:
        pass  # a home that cannot be written is no reason to have no prompt


def _end(history: str) -> None:
    try:
        if history:
            readline.write_history_file(history)
            os.chmod(history, 0o600)
    except OSError:
        pass
