"""The grammar's tables as a page or a completion wants them: only what has an effect, and what may follow each word."""

from dataclasses import dataclass

from proto.exit_codes import NUMBERS
from scrun.cli.grammar import GLOBAL, HELP, VERBS, Option
from scrun.console.table import COMMANDS

FILES, DIRECTORIES, CONTAINERS = "files", "directories", "containers"

# Names of values to what they are; all others are somebody's own words.
_KINDS = {"FILE": FILES, "PATH": FILES, "DIR": DIRECTORIES}
# Verbs whose ID is a new one.
_MAKERS = {"create", "run"}


@dataclass(frozen=True)
class Choice:
    """One option.

    Attributes:
        names: its long names, without dashes.
        letter: its short name, or empty.
        value: the name of its value; empty for a flag.
        optional: whether the value may be left out; then it comes after ``=`` only.
        words: the values that there are; empty if it may be anything.
        kind: ``FILES``, ``DIRECTORIES`` or empty.
        text: what it does.

    """

    names: tuple[str, ...]
    letter: str
    value: str
    optional: bool
    words: tuple[str, ...]
    kind: str
    text: str

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every way to write it."""
        return (*(f"--{name}" for name in self.names), *([f"-{self.letter}"] if self.letter else []))


def _choice(option: Option) -> Choice:
    names, letters, value, text = option
    optional = value[:1] == "["
    inner = value[1:-1] if optional else value.rstrip("+")
    words = tuple(inner.split("|")) if "|" in inner else ()
    return Choice(names, letters[:1], inner, optional, words, _KINDS.get(inner, ""), text)


def _effective(options: tuple[Option, ...]) -> tuple[Choice, ...]:
    return tuple(_choice(option) for option in options if option[3] != "-")


def global_options() -> tuple[Choice, ...]:
    return _effective(GLOBAL)


def verbs() -> dict[str, str]:
    """The verbs that are supported, with their summaries."""
    return {verb: row[2] for verb, row in VERBS.items() if row[0] != "unsupported"}


def unsupported() -> tuple[str, ...]:
    return tuple(verb for verb, row in VERBS.items() if row[0] == "unsupported")


def options_of(verb: str) -> tuple[Choice, ...]:
    return _effective((*VERBS[verb][3], HELP))


def arguments_of(verb: str) -> tuple[str, ...]:
    """What each argument of a verb is: ``CONTAINERS``, the words that there are, or empty for somebody's own."""
    known = {
        "COMMAND": " ".join(COMMANDS) if verb == "console" else "",
        "ID": "" if verb in _MAKERS else CONTAINERS,
        "SIGNAL": " ".join(NUMBERS),
        "VERB": " ".join(verbs()),
    }
    return tuple(known.get(word.strip("[]"), "") for word in VERBS[verb][1].split())


def has_rest(verb: str) -> bool:
    """Whether the words after the first argument are somebody else's, options among them."""
    return VERBS[verb][1].endswith("…]")
