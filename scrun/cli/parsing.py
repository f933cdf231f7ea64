"""From the words of the command line to options and arguments, by the tables of ``scrun.cli.grammar``.

Both ``--x y`` and ``--x=y``, long names with a single dash as runc takes them, clustered short options, options
before or after the arguments. On the path of the hot verbs: imports nothing of the standard library.
"""

from proto.errors import UsageError

from .grammar import GLOBAL, HELP, VERBS, Option

_BOOLEANS = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}


class Options(dict[str, list[str]]):
    """Long name to the values given, in order (``true`` or ``false`` for a flag)."""

    __slots__ = ()

    def text(self, name: str) -> str:
        """The last value given, or empty."""
        values = self.get(name)
        return values[-1] if values else ""

    def flag(self, name: str) -> bool:
        return self.text(name) == "true"

    def count(self, name: str) -> int:
        return len(self.get(name, ()))


class Line:
    """A command line as understood so far; kept by the caller, so that errors still find ``--log``.

    Attributes:
        options: the options of scrun itself.
        verb: the verb, or empty.
        own: the options of the verb.
        arguments: the arguments of the verb.

    """

    __slots__ = ("arguments", "options", "own", "verb")

    def __init__(self) -> None:
        self.options = Options()
        self.verb = ""
        self.own = Options()
        self.arguments: list[str] = []

    @property
    def id(self) -> str:
        return self.arguments[0]


def parse(words: list[str], line: Line) -> Line:
    """Fill ``line``.

    Raises:
        UsageError: an unknown option or verb, a value or an argument that is missing or too many.

    """
    at = _options(words, 0, GLOBAL, line.options, None)
    if at == len(words):
        return line
    verb = words[at]
    if verb not in VERBS:
        raise unknown(verb)
    line.verb = verb
    _, usage, _, options = VERBS[verb]
    stop_early = usage.endswith("…]")
    at += 1
    if stop_early:
        at = _options(words, at, (*options, HELP), line.own, None)
        line.arguments += words[at:]
    else:
        _options(words, at, (*options, HELP), line.own, line.arguments)
    if not line.own.flag("help"):
        _check_arguments(verb, usage, len(line.arguments))
    return line


def unknown(verb: str) -> UsageError:
    """The error for a command that there is not, with the words that runc's own tests look for."""
    return UsageError(f"unknown command \"{verb[:80]}\" (No help topic for '{verb[:80]}'): try scrun --help")


def _check_arguments(verb: str, usage: str, given: int) -> None:
    """The words are runc's, whose tests look for them."""
    words = usage.split()
    least = sum(1 for word in words if word[0] != "[")
    most = None if usage.endswith("…]") else len(words)
    if given >= least and (most is None or given <= most):
        return
    if least == most:
        demand = f"exactly {least}"
    elif given < least:
        demand = f"a minimum of {least}"
    else:
        demand = f"a maximum of {most}"
    msg = f'"{verb}" requires {demand} argument(s): scrun {verb} [options] {usage}'.rstrip()
    raise UsageError(msg)


def _options(words: list[str], at: int, table: tuple[Option, ...], found: Options, arguments: list[str] | None) -> int:
    """Read options from ``words[at]`` on; return where it stopped.

    Stops at the first argument, unless there is a list for the arguments.
    """
    while at < len(words):
        word = words[at]
        if word == "--":
            if arguments is None:
                return at + 1
            arguments += words[at + 1 :]
            return len(words)
        if word[:1] != "-" or word == "-":
            if arguments is None:
                return at
            arguments.append(word)
            at += 1
            continue
        at = _option(words, at, table, found) + 1
    return at


def _option(words: list[str], at: int, table: tuple[Option, ...], found: Options) -> int:
    """Read the option at ``words[at]``; return the index of its last word."""
    word = words[at]
    name, equals, value = word.lstrip("-").partition("=") if word[:2] != "--" else word[2:].partition("=")
    given = value if equals else None
    for option in table:
        if name in option[0]:
            return _take(words, at, option, f"--{name}", given, found)
    if word[1] != "-":
        return _short(words, at, table, found)
    msg = f"unknown option {word.partition('=')[0][:80]}"
    raise UsageError(msg)


def _short(words: list[str], at: int, table: tuple[Option, ...], found: Options) -> int:
    """Read a cluster of short options: flags, then perhaps one with a value (``-qf json``, ``-fjson``, ``-f=json``)."""
    word = words[at]
    for index in range(1, len(word)):
        letter = word[index]
        for option in table:
            if letter in option[1]:
                break
        else:
            msg = f"unknown option {word.partition('=')[0][:80]}"
            raise UsageError(msg)
        rest = word[index + 1 :]
        if rest[:1] == "=":
            return _take(words, at, option, f"-{letter}", rest[1:], found)
        takes_value = option[2] not in {"", "+"}
        if takes_value or not rest:
            return _take(words, at, option, f"-{letter}", rest or None, found)
        _take(words, at, option, f"-{letter}", None, found)
    return at


def _take(words: list[str], at: int, option: Option, shown: str, given: str | None, found: Options) -> int:
    """Note one option, with the value that came with its name (``given``) or the next word."""
    names, _, kind, _ = option
    optional = kind[:1] == "["
    choices = kind.strip("[]").split("|") if "|" in kind else None
    if kind in {"", "+"}:
        if given is None:
            given = "true"
        elif given.lower() not in _BOOLEANS:
            msg = f'invalid value "{given[:80]}" of the flag {shown}: use true or false'
            raise UsageError(msg)
        else:
            given = "true" if _BOOLEANS[given.lower()] else "false"
    elif given is None:
        following = words[at + 1] if at + 1 < len(words) else None
        if optional:
            # ``--rootless state ID``: the next word is the value only if it can be nothing else.
            is_value = following is not None and choices is not None and following in choices
            given = following if is_value else "true"
            at += is_value
        elif following is None:
            msg = f"flag needs an argument: {shown} {kind}"  # runc's words; podman looks for them
            raise UsageError(msg)
        else:
            given = following
            at += 1
    assert given is not None  # noqa: S101 - for the type checker
    if choices and given not in choices:
        msg = f'invalid value "{given[:80]}" of {shown}: use {", ".join(choices)}'
        raise UsageError(msg)
    found.setdefault(names[0], []).append(given)
    return at
