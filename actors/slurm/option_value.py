"""What a text means as the value of a job option, and what cannot be a value."""

from proto.errors import SettingsError

from .option_table import FLAG, NUMBER, OPTIONAL, Option

YES = "yes"
NO = "no"
ON_WORDS = frozenset({"", "yes", "true", "on"})
BARE_WORDS = {"exclusive": frozenset({"exclusive", "allocation"})}
"""Values that mean "without a value"; srun(1) of newer versions writes them out, 22.05 refuses them."""
SIGNED = frozenset({"nice"})
ASKS_FOR_HELP = frozenset({"help", "list"})
"""As a value these make Slurm's commands print a page and end well, without a job (salloc(1), --gres)."""
INPUTS = frozenset({"all", "none"})
"""What ``--input`` may say but a task's number; anything else would be a file that srun opens."""
HELPERS = frozenset({"cpu-bind", "cpu-freq", "gpu-bind", "gres", "hint", "mem-bind", "mpi"})


def read(option: Option, text: str, source: str) -> str:
    """Return the value, ``yes`` or ``no`` for a flag; empty if the option is not set by it.

    Args:
        option: whose value it is to be.
        text: as the user wrote it.
        source: who says so, for a sentence about it.

    Raises:
        SettingsError: it cannot be a value of this option.

    """
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in text):
        raise SettingsError(f"{source} has a control character in its value (a line break, NUL or the like)")
    text = text.strip()
    if option.kind == FLAG:
        return _flag(text)
    if option.kind == OPTIONAL:
        low = text.lower()
        if low in ON_WORDS or low in BARE_WORDS.get(option.name, ()):
            return YES
        if low in {"no", "false"}:
            return NO
    if not text:
        return ""
    if text[0] == "-" and option.name not in SIGNED:
        raise SettingsError(f"{source} has the value {text!r}, which begins with a dash")
    if option.kind == NUMBER and not (text.isascii() and text.isdigit()):
        raise SettingsError(f"{source} has the value {text!r}, which is not a whole number")
    if option.name in HELPERS and text in ASKS_FOR_HELP:
        raise SettingsError(f"{source} has the value {text!r}, which asks for help and not for a job")
    if option.name == "input" and not (text in INPUTS or (text.isascii() and text.isdigit())):
        raise SettingsError(f"{source} has the value {text!r}: standard input is for all, none, or one task's number")
    if option.name == "comment":
        from .accounting import check_comment

        check_comment(text, source)
    return text


def _flag(text: str) -> str:
    """Slurm's rule: empty, ``yes`` or a number that is not zero sets it, anything else takes it back."""
    low = text.lower()
    if low in ON_WORDS:
        return YES
    return YES if low.isascii() and low.isdigit() and int(low) else NO
