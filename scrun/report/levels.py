"""How much is said where: the levels of Slurm, as the C scrun's manual has them.

There are four places. ``SCRUN_DEBUG``, ``--log-level``, ``--debug`` and ``-v`` are about all of them but syslog;
one variable each is about the others alone.

==========  ======================  =============================================================================
place       its variable            unless anything is asked for
==========  ======================  =============================================================================
own         (none)                  ``info``: the container's own log
file        ``SCRUN_FILE_DEBUG``    ``error``: one record if the command fails. Engines read that file
stderr      ``SCRUN_STDERR_DEBUG``  ``error``: the sentence. With ``--log`` only its own variable makes it more,
                                    for ``create``'s standard error is the container's
syslog      ``SCRUN_SYSLOG_DEBUG``  ``quiet``
==========  ======================  =============================================================================
"""

from proto.errors import SettingsError
from proto.host.log_record import LEVELS
from scrun.cli.grammar import DEBUG_VARIABLES
from scrun.cli.parsing import Line

QUIET, ERROR, INFO, DEBUG = (LEVELS.index(word) for word in ("quiet", "error", "info", "debug"))
# crun's words for what Slurm has no level of its own for.
_OTHER_WORDS = {"warning": "info", "warn": "info"}


def level_of(word: str, source: str) -> int:
    """A level's number, from its name in any letter case or the number itself.

    Raises:
        SettingsError: no such level.

    """
    word = word.strip().lower()
    word = _OTHER_WORDS.get(word, word)
    if word in LEVELS:
        return LEVELS.index(word)
    if word.isascii() and word.isdigit() and int(word) < len(LEVELS):
        return int(word)
    raise SettingsError(f"{source}: there is no log level {word[:40]!r}; use one of {', '.join(LEVELS)}")


class Levels:
    """The level of each place, as a number; ``asked`` is whether the general one was asked for at all."""

    __slots__ = ("asked", "file", "own", "stderr", "syslog")

    def __init__(self, general: int | None, special: dict[str, int], *, log: bool) -> None:
        self.asked = general is not None
        self.own = INFO if general is None else general
        usual = ERROR if general is None else max(general, ERROR)
        self.file = special.get("SCRUN_FILE_DEBUG", usual)
        self.stderr = special.get("SCRUN_STDERR_DEBUG", ERROR if log else usual)
        self.syslog = special.get("SCRUN_SYSLOG_DEBUG", QUIET)


def levels(line: Line, environ: dict[str, str]) -> Levels:
    """The levels in force.

    Raises:
        SettingsError: a variable names no level.

    """
    named = {name: level_of(environ[name], name) for name in DEBUG_VARIABLES if environ.get(name)}
    general = named.pop("SCRUN_DEBUG", None)
    if word := line.options.text("log-level"):
        general = level_of(word, "--log-level")
    if line.options.flag("debug"):
        general = max(general or 0, DEBUG)
    if more := line.options.count("verbose"):
        general = min((INFO if general is None else general) + more, len(LEVELS) - 1)
    return Levels(general, named, log=bool(line.options.text("log")))


def of_anchor(line: Line, environ: dict[str, str]) -> tuple[str, str, str]:
    """The levels of ``creation.Log``. The anchor leaves the file alone unless it was asked to write there.

    Raises:
        SettingsError: a variable names no level.

    """
    found = levels(line, environ)
    asked = (found.asked and found.own >= ERROR) or environ.get("SCRUN_FILE_DEBUG")
    return LEVELS[found.own], LEVELS[found.file] if asked else "quiet", LEVELS[found.syslog]
