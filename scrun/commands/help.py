"""``scrun --help``, ``scrun VERB --help``, ``scrun help [VERB]``, ``scrun --usage``."""

from scrun.cli import help_text
from scrun.cli.grammar import VERBS
from scrun.cli.parsing import Line, unknown
from scrun.report.lines import show


def run(line: Line) -> int:
    """Print the text that the line asks for."""
    verb = line.verb
    if verb == "help":
        verb = line.arguments[0] if line.arguments else ""
    if verb and verb not in VERBS:
        raise unknown(verb)
    if line.options.flag("usage"):
        text = f"Usage: {help_text.USAGE}\n"
    else:
        text = help_text.of_verb(verb) if verb else help_text.general()
    if verb == "console" and not line.options.flag("usage"):
        from scrun.console.table import help_text as commands

        text += f"\nCOMMANDS:\n{commands()}"
    show(text)
    return 0
