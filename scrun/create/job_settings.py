"""What ``scrun.toml`` says of job options: defaults (``[job]``), and what they may be (``[forced]``, ``[limits]``)."""

from collections.abc import Iterator
from typing import Any

from proto.errors import SettingsError
from proto.life.settings import JobRule


def defaults(before: dict[str, str], table: dict[str, Any], path: str) -> dict[str, str]:
    """Defaults of job options, with a file's on top, which displace what they exclude.

    Raises:
        SettingsError: an unknown option, or a wrong value.

    """
    from actors.slurm.option_sources import of_defaults
    from actors.slurm.option_table import BY_NAME

    given = {name: _value(value, f"{path}: job.{name}") for name, value in table.items()}
    wishes = of_defaults(given, path)
    groups = {BY_NAME[name].exclusive for name in wishes} - {""}
    kept = {name: value for name, value in before.items() if BY_NAME[name].exclusive not in groups}
    return kept | {name: wish.value for name, wish in wishes.items()}


def rules(table: dict[str, Any], path: str, section: str, partition: str = "") -> Iterator[JobRule]:
    """The lines of ``[forced]`` or ``[limits]``; a table in it is about the partition of its name.

    Raises:
        SettingsError: a value that is neither a text nor a number; for limits it may be a list of such.

    """
    for key, value in table.items():
        name = f"{path}: {section}.{key}"
        if isinstance(value, dict):
            if partition:
                raise SettingsError(f"{name} must be a text or a number")
            yield from rules(value, path, f"{section}.{key}", key)
        elif isinstance(value, list) and value and section.startswith("limits"):
            yield JobRule(key, tuple(_value(each, name) for each in value), True, partition, path)
        else:
            yield JobRule(key, (_value(value, name),), False, partition, path)


def _value(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise SettingsError(f"{name} must be a text or a number")
    return str(value)
