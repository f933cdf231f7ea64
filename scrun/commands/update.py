"""``scrun update``: engines call it even for ``--restart`` alone, so an update without effect succeeds.

A limit of a running job cannot be changed from here: its processors and memory are granted for good, and Slurm lets
only administrators give it more time.
"""

import json
import os
from typing import Any

from actors.oci import config_file
from proto.errors import UnsupportedError, UsageError
from scrun.box.box import find
from scrun.cli.grammar import LIMITS
from scrun.cli.parsing import Line
from scrun.cli.root import root_of

SIZE_LIMIT = 1 << 20
# Options to the places of linux.resources that they are about (runc's update.go); the other two are lists there.
PLACES = {
    "blkio-weight": "blockIO.weight",
    "cpu-period": "cpu.period",
    "cpu-quota": "cpu.quota",
    "cpu-burst": "cpu.burst",
    "cpu-share": "cpu.shares",
    "cpu-rt-period": "cpu.realtimePeriod",
    "cpu-rt-runtime": "cpu.realtimeRuntime",
    "cpuset-cpus": "cpu.cpus",
    "cpuset-mems": "cpu.mems",
    "kernel-memory": "memory.kernel",
    "kernel-memory-tcp": "memory.kernelTCP",
    "memory": "memory.limit",
    "memory-reservation": "memory.reservation",
    "memory-swap": "memory.swap",
    "pids-limit": "pids.limit",
    "cpu-idle": "cpu.idle",
}
_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def run(line: Line) -> int:
    """Accept what changes nothing; refuse the rest."""
    container = find(root_of(line), line.id)
    wanted = leaves(_resources(line.own.text("resources")))
    for name in LIMITS:
        if word := line.own.text(name):
            wanted[PLACES.get(name, name)] = _value(word)
    # podman sends the container's limits back as they are when only something of its own is changed.
    current = leaves(_limits(container.paths.config))
    wishes = sorted(place for place, value in wanted.items() if effective(value) and value != current.get(place))
    if wishes:
        raise UnsupportedError(
            f"the limits of a running Slurm job cannot be changed by update ({', '.join(wishes)}); "
            '"scontrol update job" changes what Slurm allows'
        )
    return 0


def leaves(resources: dict[str, Any]) -> dict[str, Any]:
    """Every value below a property of its own, by its dotted place; lists count as values."""
    found: dict[str, Any] = {}
    stack: list[tuple[str, Any]] = list(resources.items())
    while stack:
        place, value = stack.pop()
        if isinstance(value, dict):
            stack += [(f"{place}.{name}", inner) for name, inner in value.items()]
        else:
            found[place] = value
    return found


def effective(value: Any) -> bool:
    """Whether a value asks for anything: 0, nothing and empty do not, nor does -1, which lifts a limit that is none."""
    if isinstance(value, dict):
        return any(effective(item) for item in value.values())
    if isinstance(value, list):
        return any(effective(item) for item in value)
    return bool(value) and value != -1


def _value(word: str) -> int | str:
    """A number, perhaps with a unit as in ``512m``; else the text (a list of processors)."""
    number, unit = word, 1
    if word[-1:].lower() in _UNITS and len(word) > 1:
        number, unit = word[:-1], _UNITS[word[-1].lower()]
    try:
        return int(number) * unit
    except ValueError:
        return word


def _limits(path: str) -> dict[str, Any]:
    """``linux.resources`` of the config.json that the container was made from; ``create`` has checked its form."""
    try:
        config = config_file.read(path)
    except (OSError, ValueError):
        return {}
    return (config.get("linux") or {}).get("resources") or {}


def _resources(name: str) -> dict[str, Any]:
    if not name:
        return {}
    try:
        with open(0 if name == "-" else name, "rb", closefd=name != "-") as file:
            data = file.read(SIZE_LIMIT + 1)
        value = json.loads(data[:SIZE_LIMIT]) if data.strip() else {}
    except (OSError, ValueError, RecursionError):
        shown = "standard input" if name == "-" else os.path.basename(name)
        raise UsageError(f"no resources in JSON can be read from {shown}") from None
    if not isinstance(value, dict):
        raise UsageError("resources must be a JSON object")
    return value
