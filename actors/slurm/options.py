"""From annotations, variables and settings to the job options of one container.

Runs inside ``scrun create``: no imports beyond the table's, ``difflib`` only for a mistake's hint.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from proto.errors import SettingsError

from .option_table import ALIASES, BY_NAME, EXTRA_VARIABLES, FLAG, NUMBER, OPTIONAL, TABLE, Option, Version

__all__ = ["BY_NAME", "TABLE", "Option", "fit", "is_set", "resolve", "word"]

PREFIX = "scrun."
YES = "yes"
NO = "no"
ON_WORDS = frozenset({"", "yes", "true", "on"})
BARE_WORDS = {"exclusive": frozenset({"exclusive", "allocation"})}
"""Values that mean "without a value"; srun(1) of newer versions writes them out, 22.05 refuses them."""
SIGNED = frozenset({"nice"})
ASKS_FOR_HELP = frozenset({"help", "list"})
"""As a value these make Slurm's commands print a page and end well, without a job (salloc(1), --gres)."""
HELPERS = frozenset({"cpu-bind", "cpu-freq", "gpu-bind", "gres", "hint", "mem-bind", "mpi"})
MIB = 1024 * 1024
UNLIMITED = 1 << 60
"""Engines write numbers near 2**63 for "no limit"."""
DEFAULT_PERIOD = 100_000
"""Microseconds; the kernel's default when config.json has a quota and no period."""


def resolve(
    annotations: Mapping[str, str],
    container_env: Iterable[bytes],
    caller_environ: Mapping[str, str],
    resources: Mapping[str, Any],
    defaults: Mapping[str, str],
    other_annotations: frozenset[str] = frozenset(),
) -> dict[str, str]:
    """Return option name -> value; flags have the value ``yes`` or ``no``.

    The first source that names an option wins: annotations, the container's own environment, the caller's
    environment, ``linux.resources``, the settings of user and site. It also wins over members of the same
    exclusive group in later sources (``mem-per-cpu`` asked, ``mem`` by default).

    Args:
        annotations: of config.json; only ``scrun.…`` is looked at.
        container_env: ``process.env``.
        caller_environ: environment of ``scrun create``.
        resources: ``linux.resources``. docker writes it with zeros when the user gave no limit.
        defaults: ``Settings.job``.
        other_annotations: names after ``scrun.`` that are no options of a job: the stager reads them.

    Raises:
        SettingsError: an unknown option, or a value that cannot be one.

    """
    sources = (
        _from_annotations(annotations, other_annotations),
        _from_variables(_decode(container_env), "of the container"),
        _from_variables(caller_environ, "of the environment"),
        _from_resources(resources),
        _from_defaults(defaults),
    )
    result: dict[str, str] = {}
    groups: set[str] = set()
    for source in sources:
        taken = set(groups)
        for name, value in source.items():
            group = BY_NAME[name].exclusive
            if name in result or (group and group in taken):
                continue
            result[name] = value
            if group and value != NO:
                groups.add(group)
    return result


def fit(options: Mapping[str, str], version: Version) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the options that this version of Slurm knows, and notices about those it no longer knows.

    Args:
        options: as ``resolve`` gave them.
        version: of Slurm; (0, 0) is unknown and leaves the judgement to salloc.

    Raises:
        SettingsError: an option is newer than this Slurm.

    """
    if version == (0, 0):
        return dict(options), ()
    kept: dict[str, str] = {}
    notices: list[str] = []
    for name, value in options.items():
        option = BY_NAME[name]
        if version < option.since:
            raise SettingsError(
                f"job option {name} needs Slurm {show(option.since)} or later; this is Slurm {show(version)}",
            )
        if version > option.until:
            notices.append(f"job option {name} is ignored: Slurm {show(version)} has it no more")
        else:
            kept[name] = value
    return kept, tuple(notices)


def word(option: Option, value: str) -> str:
    """Return the one argv word for salloc or srun, or an empty text when there is nothing to pass.

    Option and value are one word, so that no value can become an option of its own.
    """
    if option.kind in {FLAG, OPTIONAL} and value == NO:
        return ""
    if option.kind == FLAG or (option.kind == OPTIONAL and value == YES):
        return f"--{option.name}"
    return f"--{option.name}={value}"


def is_set(options: Mapping[str, str], name: str, default: bool) -> bool:
    """Whether a flag is on."""
    value = options.get(name, "")
    return default if not value else value != NO


def show(version: Version) -> str:
    """22.05, as Slurm writes it."""
    return f"{version[0]}.{version[1]:02}"


def _from_annotations(annotations: Mapping[str, str], others: frozenset[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in annotations.items():
        if key.startswith(PREFIX) and (name := key[len(PREFIX) :]) not in others:
            _add(found, name, value, f"annotation {key}", PREFIX)
    return found


def _from_defaults(defaults: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in defaults.items():
        _add(found, name, value, f"job option {name} of scrun.toml", "")
    return found


def _add(found: dict[str, str], name: str, value: str, source: str, prefix: str) -> None:
    plain = name.lower().replace("_", "-")
    option = BY_NAME.get(ALIASES.get(plain, plain))
    if option is None:
        raise SettingsError(f"{source} is not a job option{_hint(plain, prefix)}")
    found[option.name] = _checked(option, value, source)


def _from_variables(environ: Mapping[str, str], whose: str) -> dict[str, str]:
    found: dict[str, str] = {}
    if not any(key.startswith("SCRUN_") for key in environ):
        return found
    for option in TABLE:
        for variable in option.variables:
            if variable in environ:
                found[option.name] = _checked(option, environ[variable], f"variable {variable} {whose}")
                break
    for variable, name in EXTRA_VARIABLES.items():
        if variable in environ and name not in found:
            found[name] = _checked(BY_NAME[name], environ[variable], f"variable {variable} {whose}")
    return found


def _from_resources(resources: Mapping[str, Any]) -> dict[str, str]:
    """CPU quota and memory limit, where a limit was asked for.

    Zeros and negative numbers are what engines write when none was. ``pids.limit`` is podman's own addition.
    """
    found: dict[str, str] = {}
    cpu = resources.get("cpu") or {}
    quota, period = _positive(cpu.get("quota")), _positive(cpu.get("period")) or DEFAULT_PERIOD
    if quota:
        found["cpus-per-task"] = str(-(-quota // period))
    memory = resources.get("memory") or {}
    if limit := _positive(memory.get("limit")):
        found["mem"] = f"{-(-limit // MIB)}M"
    return found


def _positive(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < UNLIMITED else 0


def _decode(environment: Iterable[bytes]) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in environment:
        if entry.startswith(b"SCRUN_"):
            key, _, value = entry.partition(b"=")
            found[key.decode("utf-8", "surrogateescape")] = value.decode("utf-8", "surrogateescape")
    return found


def _checked(option: Option, value: str, source: str) -> str:
    if any(ord(char) < 32 or 127 <= ord(char) < 160 for char in value):
        raise SettingsError(f"{source} has a control character in its value (a line break, NUL or the like)")
    value = value.strip()
    if option.kind == FLAG:
        return _flag(value)
    if option.kind == OPTIONAL:
        low = value.lower()
        if low in ON_WORDS or low in BARE_WORDS.get(option.name, ()):
            return YES
        if low in {"no", "false"}:
            return NO
    if not value:
        raise SettingsError(f"{source} has no value")
    if value[0] == "-" and option.name not in SIGNED:
        raise SettingsError(f"{source} has the value {value!r}, which begins with a dash")
    if option.kind == NUMBER and not (value.isascii() and value.isdigit()):
        raise SettingsError(f"{source} has the value {value!r}, which is not a whole number")
    if option.name in HELPERS and value in ASKS_FOR_HELP:
        raise SettingsError(f"{source} has the value {value!r}, which asks for help and not for a job")
    if option.name == "comment":
        from .accounting import check_comment

        check_comment(value, source)
    return value


def _flag(value: str) -> str:
    """Slurm's rule: empty, ``yes`` or a number that is not zero sets it, anything else takes it back."""
    low = value.lower()
    if low in ON_WORDS:
        return YES
    return YES if low.isascii() and low.isdigit() and int(low) else NO


def _hint(name: str, prefix: str) -> str:
    import difflib

    near = difflib.get_close_matches(name, [*BY_NAME, *ALIASES], 1, 0.5)
    return f"; did you mean {prefix}{near[0]}?" if near else ""
