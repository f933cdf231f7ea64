"""What a check comes to."""

from typing import Literal, NamedTuple

Level = Literal["ok", "warning", "fault"]


class Finding(NamedTuple):
    """One row of the doctor's table.

    Attributes:
        level: ``fault``: containers will not run; ``warning``: some will not, or something will surprise.
        sentence: what was found.
        place: the file that ``lines`` belong into, or "shell" for commands.
        lines: what to add there, ready to be copied.

    """

    level: Level
    sentence: str
    place: str = ""
    lines: tuple[str, ...] = ()


def ok(sentence: str) -> Finding:
    return Finding("ok", sentence)


def warning(sentence: str, place: str = "", *lines: str) -> Finding:
    return Finding("warning", sentence, place, lines)


def fault(sentence: str, place: str = "", *lines: str) -> Finding:
    return Finding("fault", sentence, place, lines)


SHELL = "shell"
