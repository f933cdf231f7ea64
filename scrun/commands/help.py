"""``scrun --help``, ``scrun VERB --help``, ``scrun help [VERB]``, ``scrun --usage``."""

from proto.errors import UsageError
from scrun import diagnostics, helping
from scrun.grammar import VERBS
from scrun.parsing import Line


def run(line: Line) -> int:
    """Print the text that the line asks for."""
    verb = line.verb
    if verb == "help":
        verb = line.arguments[0] if line.arguments else ""
    if verb and verb not in VERBS:
        msg = f'unknown command "{verb[:80]}": try "scrun --help"'
        raise UsageError(msg)
    if line.options.flag("usage"):
        text = f"Usage: {helping.USAGE}\n"
    else:
        text = helping.of_verb(verb) if verb else helping.general()
    diagnostics.write(1, text)
    return 0
