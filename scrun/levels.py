"""How much the container's own log says: the levels of Slurm, as the C scrun's manual has them."""

from proto.errors import SettingsError

from .parsing import Line

LEVELS = ("quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5")
# crun's words for what Slurm has no level of its own for.
_OTHER_WORDS = {"warning": "info", "warn": "info"}
VARIABLES = ("SCRUN_DEBUG", "SCRUN_STDERR_DEBUG", "SCRUN_SYSLOG_DEBUG", "SCRUN_FILE_DEBUG")


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


def log_level(line: Line, environ: dict[str, str]) -> str:
    """The level of the container's log: the most that any option or variable asks for, ``info`` by default.

    Raises:
        SettingsError: a variable names no level.

    """
    asked = [level_of(environ[name], name) for name in VARIABLES if environ.get(name)]
    if word := line.options.text("log-level"):
        asked.append(level_of(word, "--log-level"))
    if line.options.flag("debug"):
        asked.append(LEVELS.index("debug"))
    base = max(asked, default=LEVELS.index("info"))
    return LEVELS[min(base + line.options.count("verbose"), len(LEVELS) - 1)]
