"""From annotations, variables and settings to the job options of one container.

Runs inside ``scrun create``: no imports beyond the tables', and those for a mistake or a site's rules only with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from proto.errors import SettingsError
from proto.life.settings import JobRule

from . import option_sources
from .option_sources import Wishes
from .option_table import BY_NAME, FLAG, OPTIONAL, TABLE, Option, Version
from .option_value import NO, YES

__all__ = ["BY_NAME", "TABLE", "Option", "fit", "is_set", "resolve", "word"]


def resolve(
    annotations: Mapping[str, str],
    container_env: Iterable[bytes],
    caller_environ: Mapping[str, str],
    resources: Mapping[str, Any],
    defaults: Mapping[str, str],
    other_annotations: frozenset[str] = frozenset(),
    forced: Sequence[JobRule] = (),
    limits: Sequence[JobRule] = (),
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
        forced: ``Settings.forced``.
        limits: ``Settings.limits``.

    Raises:
        SettingsError: an unknown option, a value that cannot be one, or one that contradicts another or a rule.

    """
    sources = (
        option_sources.of_annotations(annotations, other_annotations),
        option_sources.of_container(container_env),
        option_sources.of_variables(caller_environ, "of the environment"),
        option_sources.of_resources(resources),
        option_sources.of_defaults(defaults),
    )
    wishes: Wishes = {}
    groups: set[str] = set()
    for source in sources:
        taken = frozenset(groups)
        groups |= _groups(source)
        for name, wish in source.items():
            if name not in wishes and BY_NAME[name].exclusive not in taken:
                wishes[name] = wish
    if forced or limits:
        from . import option_rules

        wishes = option_rules.apply(wishes, forced, limits)
    return {name: wish.value for name, wish in wishes.items()}


def _groups(source: Wishes) -> set[str]:
    """The exclusive groups of which a source wants a member.

    Raises:
        SettingsError: it wants two of one.

    """
    members: dict[str, str] = {}
    for name, wish in source.items():
        group = BY_NAME[name].exclusive
        if group and wish.value != NO:
            if group in members:
                raise SettingsError(
                    f"{members[group]} and {wish.source} exclude each other (salloc(1)): give one of them"
                )
            members[group] = wish.source
    return set(members)


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
