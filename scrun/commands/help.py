"""``scrun --help``, ``scrun VERB --help``, ``scrun help [VERB]``, ``scrun --usage``."""

from scrun import diagnostics, helping
from scrun.grammar import VERBS
from scrun.parsing import Line, unknown


def run(line: Line) -> int:
    """Print the text that the line asks for."""
    verb = line.verb
    if verb == "help":
        verb = line.arguments[0] if line.arguments else ""
    if verb and verb not in VERBS:
        raise unknown(verb)
    if line.options.flag("usage"):
        text = f"Usage: {helping.USAGE}\n"
    else:
        text = helping.of_verb(verb) if verb else helping.general()
    diagnostics.write(1, text)
    return 0
