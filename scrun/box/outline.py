"""What a person wants to know of a container in one row of a list."""

import time

from .box import ABANDONED, Box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

REASONS = ("scrun.end-reason", "scrun.job-reason", "scrun.staging")
"""Annotations that say why a container is where it is; never two at a time."""


def outline(box: Box, state: "dict[str, Any]") -> dict[str, str]:
    """Its phase, job, nodes, and why it is there.

    Args:
        box: the container.
        state: what ``box.state()`` has; its status is the one in force.

    Raises:
        ValueError: its state file is not what scrun writes.

    """
    known, own = state.get("annotations"), state.get("scrun")
    if not isinstance(known, dict) or not isinstance(own, dict):
        raise ValueError("no state of scrun's")  # noqa: TRY004 - it is the file that is wrong
    return {
        "phase": own.get("phase", "") if state.get("status") == box.recorded else ABANDONED,
        "job": known.get("scrun.job-id", ""),
        "nodes": known.get("scrun.nodes", ""),
        "reason": why(known),
    }


def why(annotations: "dict[str, Any]") -> str:
    """Why a container is where it is, by its annotations; empty if there is nothing to say."""
    return next((annotations[key] for key in REASONS if key in annotations), "")


def born(state: "dict[str, Any]") -> float:
    """When a container was created, in seconds since the epoch, by its state.

    Raises:
        ValueError: it does not tell.

    """
    import calendar  # 7 ms, which a list of what runs does not need

    try:
        return calendar.timegm(time.strptime(str(state.get("created", ""))[:19], "%Y-%m-%dT%H:%M:%S"))
    except OverflowError:
        raise ValueError("no time that there can be") from None
