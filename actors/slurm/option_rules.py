"""What a site lets job options be: forced values, and limits, for all jobs or for those of a partition.

A default gives way to a forced value; a wish for something else is refused, and the sentence names both who wishes and
who forbids. An option that nobody has asked for is left to Slurm: a limit sets nothing. In one file a rule for a
partition stands in place of the general one; rules of several files all hold.
"""

from collections.abc import Iterable, Sequence

from proto.errors import SettingsError
from proto.life.settings import JobRule

from . import option_value
from .amounts import amount
from .option_lists import LISTS
from .option_sources import Wish, Wishes, find
from .option_table import Option

FORCED = "forced"
LIMITS = "limits"


def apply(wishes: Wishes, forced: Sequence[JobRule], limits: Sequence[JobRule]) -> Wishes:
    """Return the wishes with what is forced.

    Args:
        wishes: by option name.
        forced: rules of ``[forced]``, the site's first.
        limits: rules of ``[limits]``.

    Raises:
        SettingsError: a wish against a rule, or a rule that makes no sense.

    """
    decided = dict(wishes)
    for rule in forced:
        if not rule.partition and _option(rule, FORCED).name == "partition":
            _force(decided, rule)
    partitions = decided["partition"].value.split(",") if "partition" in decided else [""]
    for rule in _in_force(forced, partitions, FORCED):
        _force(decided, rule)
    for rule in _in_force(limits, partitions, LIMITS):
        _hold(decided, rule)
    return decided


def _in_force(rules: Sequence[JobRule], partitions: Iterable[str], section: str) -> list[JobRule]:
    special = {(rule.file, _option(rule, section).name, rule.partition) for rule in rules if rule.partition}

    def holds(rule: JobRule, partition: str) -> bool:
        if rule.partition:
            return rule.partition == partition
        return (rule.file, _option(rule, section).name, partition) not in special

    return [rule for rule in rules if any(holds(rule, partition) for partition in partitions)]


def _force(decided: Wishes, rule: JobRule) -> None:
    option, source = _option(rule, FORCED), _source(rule, FORCED)
    value = option_value.read(option, rule.values[0], source)
    for name, wish in list(decided.items()):
        if name == option.name or (option.exclusive and find(name, wish.source).exclusive == option.exclusive):
            if not wish.default and (name, wish.value) != (option.name, value):
                raise SettingsError(f"{wish.source} says {wish.value}, but {source} forces {value}")
            del decided[name]
    decided[option.name] = Wish(value, source)


def _hold(decided: Wishes, rule: JobRule) -> None:
    option, source = _option(rule, LIMITS), _source(rule, LIMITS)
    wish = decided.get(option.name)
    if rule.choice:
        allowed = [option_value.read(option, text, source) for text in rule.values]
        asked = wish.value.split(",") if wish and option.name in LISTS else [wish.value] if wish else []
        if wish and not set(asked) <= set(allowed):
            raise SettingsError(f"{wish.source} says {wish.value}, but {source} allows {', '.join(allowed)} only")
        return
    most = amount(option.name, rule.values[0])
    if most is None:
        raise SettingsError(f"{source}: {rule.values[0]} is no amount; a list can say what is allowed")
    if wish:
        much = amount(option.name, wish.value)
        if much is None:
            raise SettingsError(f"{wish.source} says {wish.value}, which cannot be held against the limit of {source}")
        if much > most:
            raise SettingsError(f"{wish.source} says {wish.value}, but {source} allows {rule.values[0]} at most")


def _option(rule: JobRule, section: str) -> Option:
    return find(rule.option, _source(rule, section))


def _source(rule: JobRule, section: str) -> str:
    place = f"{section}.{rule.partition}" if rule.partition else section
    return f"{rule.option} in [{place}] of {rule.file}"
