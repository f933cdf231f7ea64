"""Where job options come from: each source as a table of wishes, by option name."""

from collections.abc import Iterable, Mapping
from typing import Any

from proto.errors import SettingsError
from proto.value import Value

from . import option_value
from .option_lists import with_commas
from .option_table import ALIASES, BY_NAME, EXTRA_VARIABLES, TABLE, Option

PREFIX = "scrun."
VARIABLES: dict[str, str] = {variable: option.name for option in TABLE for variable in option.variables}
MIB = 1024 * 1024
UNLIMITED = 1 << 60
"""Engines write numbers near 2**63 for "no limit"."""
MOST_CPUS = 1 << 16
DEFAULT_PERIOD = 100_000
"""Microseconds; the kernel's default when config.json has a quota and no period."""


class Wish(Value):
    """What somebody wants an option to be.

    Attributes:
        value: of the option; ``yes`` or ``no`` for a flag.
        source: who says so, for a sentence: "annotation scrun.mem".
        default: nobody asked for it at this container.

    """

    value: str
    source: str
    default: bool = False


Wishes = dict[str, Wish]


def of_annotations(annotations: Mapping[str, str], others: frozenset[str]) -> Wishes:
    """Those of ``scrun.…``; ``others`` are names after the prefix that are no options of a job.

    Raises:
        SettingsError: an unknown option, a value that cannot be one, two that contradict each other, or quotes that
            were meant for podman 4, which takes a comma outside of them for the end of an annotation; podman 5 passes
            them on, and the wish would be lost.

    """
    found: Wishes = {}
    for key, text in annotations.items():
        if key.startswith(f'"{PREFIX}'):
            raise SettingsError(f"annotation {key} begins with a quote, which this engine keeps: leave the quotes out")
        if key.startswith(PREFIX) and (name := key[len(PREFIX) :]) not in others:
            source = f"annotation {key}"
            option = find(name, source, PREFIX)
            _add(found, option, with_commas(option.name, text), source)
    return found


def of_container(environment: Iterable[bytes]) -> Wishes:
    """Those of ``process.env``, which the user has written for this container.

    Raises:
        SettingsError: as above.

    """
    environ: dict[str, str] = {}
    for entry in environment:
        if entry.startswith(b"SCRUN_"):
            key, _, value = entry.partition(b"=")
            environ[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
    for sentence in unknown_variables(environ, "of the container"):
        raise SettingsError(sentence)
    return of_variables(environ, "of the container")


def of_variables(environ: Mapping[str, str], whose: str) -> Wishes:
    """Those of an environment; of several variables of one option the documented one counts.

    Raises:
        SettingsError: a value that cannot be one.

    """
    found: Wishes = {}
    if not any(key.startswith("SCRUN_") for key in environ):
        return found
    for variable, name in (*VARIABLES.items(), *EXTRA_VARIABLES.items()):
        if variable in environ and name not in found:
            _add(found, BY_NAME[name], environ[variable], f"variable {variable} {whose}")
    return found


def unknown_variables(environ: Mapping[str, str], whose: str) -> list[str]:
    """A sentence about each variable of scrun's name that means nothing."""
    strange = [name for name in environ if name.startswith("SCRUN_") and name not in VARIABLES | EXTRA_VARIABLES]
    if not strange:
        return []
    from .not_options import about_variable

    said = ((name, about_variable(name)) for name in sorted(strange))
    return [f"variable {name} {whose} is not a job option{words}" for name, words in said if words is not None]


def of_resources(resources: Mapping[str, Any]) -> Wishes:
    """CPU quota, or else the number of CPUs named, and memory limit, where a limit was asked for.

    Zeros and negative numbers are what engines write when none was. ``pids.limit`` and a ``memory.swap`` of twice the
    limit are podman's own addition.
    """
    found: Wishes = {}
    cpu = resources.get("cpu") or {}
    quota, period = _positive(cpu.get("quota")), _positive(cpu.get("period")) or DEFAULT_PERIOD
    if quota:
        found["cpus-per-task"] = Wish(str(-(-quota // period)), "option --cpus")
    elif named := _count(cpu.get("cpus")):
        found["cpus-per-task"] = Wish(str(named), "option --cpuset-cpus")
    memory = resources.get("memory") or {}
    if limit := _positive(memory.get("limit")):
        found["mem"] = Wish(f"{-(-limit // MIB)}M", "option --memory")
    return found


def of_defaults(defaults: Mapping[str, str], file: str = "scrun.toml") -> Wishes:
    """Those of ``[job]`` in a file.

    Raises:
        SettingsError: an unknown option, a value that cannot be one, or two that contradict each other.

    """
    found: Wishes = {}
    for name, text in defaults.items():
        source = f"job option {name} of {file}"
        _add(found, find(name, source), text, source, default=True)
    return found


def find(name: str, source: str, prefix: str = "") -> Option:
    """The option of that name, however it is written.

    Args:
        name: a name of it, or an alias.
        source: who says so.
        prefix: what stands before the name there.

    Raises:
        SettingsError: there is none.

    """
    plain = name.lower().replace("_", "-")
    option = BY_NAME.get(ALIASES.get(plain, plain))
    if option is None:
        from .not_options import about

        raise SettingsError(f"{source} is not a job option{about(plain, prefix)}")
    return option


def _add(found: Wishes, option: Option, text: str, source: str, *, default: bool = False) -> None:
    value = option_value.read(option, text, source)
    if not value:
        return
    before = found.get(option.name)
    if before and before.value != value:
        raise SettingsError(f"{before.source} says {before.value}, and {source} says {value}: give one of them")
    found[option.name] = Wish(value, source, default)


def _count(cpus: object) -> int:
    """How many CPUs a list like ``0-3,7`` names (cpuset(7)); 0 for none, and for what is no list."""
    named: set[int] = set()
    for word in cpus.split(",") if isinstance(cpus, str) else ():
        first, _, last = word.strip().partition("-")
        if not (first.isdigit() and (last or first).isdigit() and int(last or first) < MOST_CPUS):
            return 0
        named |= set(range(int(first), int(last or first) + 1))
    return len(named)


def _positive(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < UNLIMITED else 0
