"""The lines that a command says about itself, for those who asked (``scrun.report.levels``)."""

import os
import time

from actors.process.sinks import Syslog, of_log
from proto.errors import SettingsError
from proto.host.log_record import LEVELS, record
from scrun.cli.parsing import Line

from .levels import DEBUG, ERROR, Levels, levels
from .lines import one_line, write


def levels_of(line: Line) -> Levels:
    """The levels in force; a wrong one counts as not given, for it is a failure that is to be reported."""
    try:
        return levels(line, dict(os.environ))
    except SettingsError:
        return Levels(None, {}, log=bool(line.options.text("log")))


def say(line: Line, level: str, text: str) -> None:
    """Write a line wherever its level is asked for."""
    found = levels_of(line)
    number = LEVELS.index(level)
    text = one_line(text)
    if number <= found.stderr:
        word = "debug" if number >= DEBUG else "info"
        write(2, record(text, line.options.text("log-format"), time.time(), word))
    _write(line, found, number, level, text)


def note(line: Line, sentence: str, level: str) -> bool:
    """Write a failure or a warning to the log and to syslog; return whether standard error may have it, too."""
    found = levels_of(line)
    _write(line, found, ERROR, level, sentence)
    return found.stderr >= ERROR


def _write(line: Line, found: Levels, number: int, level: str, text: str) -> None:
    if number <= found.file and (log := line.options.text("log")):
        of_log(log, line.options.text("log-format")).write(level, text)
    if number <= found.syslog:
        Syslog("scrun").write(level, text)
