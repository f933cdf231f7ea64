"""``scrun update``: changes of a job what Slurm lets its user change, and refuses the rest.

Engines call it even for ``--restart`` alone, so an update without effect succeeds. Processors are granted for good.
"""

import json
import os
from typing import Any

from actors.oci import config_file
from proto.errors import ScrunError, UnsupportedError, UsageError, WrongStateError
from proto.life.container import Container
from scrun.box.box import Box, find
from scrun.cli.grammar import LIMITS
from scrun.cli.parsing import Line
from scrun.cli.root import is_own, root_of
from scrun.packages import use_packages

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


OPTIONS = ("time", "nice")
MEMORY = "memory.limit"
GOES_WITH_MEMORY = frozenset({"memory.swap", "memory.reservation"})
"""What engines send along with the memory limit, and what has no effect at ``create`` either."""


def run(line: Line) -> int:
    """Accept what changes nothing, have Slurm change what it can, and refuse the rest before that."""
    container = find(root_of(line), line.id)
    wanted = leaves(_resources(line.own.text("resources")))
    for name in LIMITS:
        if word := line.own.text(name):
            wanted[PLACES.get(name, name)] = _value(word)
    # podman sends the container's limits back as they are when only something of its own is changed.
    current = leaves(_limits(container.paths.config))
    wishes = {place: value for place, value in wanted.items() if effective(value) and value != current.get(place)}
    changes = {name: word for name in OPTIONS if (word := line.own.text(name))}
    if wishes or changes:
        _change(container, changes, wishes)
    return 0


def _change(container: Box, changes: dict[str, str], wishes: dict[str, Any]) -> None:
    """Have Slurm change a job.

    Args:
        container: whose job it is.
        changes: values by the names of job options.
        wishes: values by their places in ``linux.resources``.

    Raises:
        ScrunError: nothing was changed.

    """
    use_packages()
    from actors.guard.clean_up import run as run_command
    from actors.slurm import changes as of_job
    from actors.slurm import scheduler_for

    life = _life(container)
    creation = life.creation
    if creation is not None and isinstance(wishes.get(MEMORY), int) and _memory_can_change(life):
        changes["mem"] = str(-(-wishes[MEMORY] >> 20))
        wishes = {place: value for place, value in wishes.items() if place not in {MEMORY, *GOES_WITH_MEMORY}}
    if "mem" in changes and len(changes) > 1 and life.job != "queued":
        # Slurm 26.05 changes the one and then refuses the other.
        raise UnsupportedError("the memory of a job that runs is changed by itself: call update once for each")
    if wishes:
        raise UnsupportedError(
            f"update cannot change this of a Slurm job ({', '.join(sorted(wishes))}); it can change the time limit "
            "(--time), the niceness (--nice) and, as long as the job waits or with Slurm 26.05, the memory (--memory)"
        )
    of_job.check(changes)
    if not is_own(container.paths.root):
        raise WrongStateError(f"container {container.paths.id} is another user's; let its owner call scrun update")
    if container.status == "stopped":
        raise WrongStateError(f"container {container.paths.id} has stopped: there is no job any more")
    command = scheduler_for(creation).change(life.job_id, changes) if creation is not None else None
    if command is None:
        raise UnsupportedError(f"container {container.paths.id} has no job of its own that could be changed")
    status, said = run_command(command)
    if status:
        raise of_job.refusal(changes, said)


def _life(container: Box) -> Container:
    """What has become of it, by its journal."""
    from proto.life import journal, lifecycle

    try:
        return lifecycle.replay(journal.read(container.paths.journal))
    except (OSError, ScrunError):
        return Container()


def _memory_can_change(life: Container) -> bool:
    """Whether Slurm may change the job's memory: while it waits, or if this is a Slurm that lowers it."""
    from actors.slurm.changes import MEMORY as SINCE

    return life.job == "queued" or (life.creation is not None and life.creation.slurm >= SINCE)


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
