"""``scrun update``: docker calls it even for ``--restart`` alone, so an update without effect succeeds."""

import json
import os
from typing import Any

from proto.errors import UnsupportedError, UsageError
from scrun.container import find
from scrun.grammar import LIMITS
from scrun.main import root_of
from scrun.parsing import Line

SIZE_LIMIT = 1 << 20


def run(line: Line) -> int:
    """Accept what changes nothing; refuse the rest."""
    find(root_of(line), line.id)
    resources = _resources(line.own.text("resources"))
    wishes = [name for name in LIMITS if line.own.text(name) not in {"", "0"}] + sorted(
        key for key, value in resources.items() if effective(value)
    )
    if wishes:
        raise UnsupportedError(
            f"the limits of a running Slurm job cannot be changed by update ({', '.join(wishes)}); "
            '"scontrol update job" changes what Slurm allows'
        )
    return 0


def effective(value: Any) -> bool:
    """Whether a value of resources asks for anything: 0, nothing and empty do not."""
    if isinstance(value, dict):
        return any(effective(item) for item in value.values())
    if isinstance(value, list):
        return any(effective(item) for item in value)
    return bool(value)


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
