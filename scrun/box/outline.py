"""What a person wants to know of a container in one row of a list."""

from typing import Any

from .box import ABANDONED, Box

REASONS = ("scrun.end-reason", "scrun.job-reason", "scrun.staging")
"""Annotations that say why a container is where it is; never two at a time."""


def outline(box: Box, state: dict[str, Any]) -> dict[str, str]:
    """Its phase, job, nodes, and why it is there.

    Args:
        box: the container.
        state: what ``box.state()`` has.

    Raises:
        ValueError: its state file is not what scrun writes.

    """
    known, own = state.get("annotations"), state.get("scrun")
    if not isinstance(known, dict) or not isinstance(own, dict):
        raise ValueError("no state of scrun's")  # noqa: TRY004 - it is the file that is wrong
    return {
        "phase": own.get("phase", "") if box.status == box.recorded else ABANDONED,
        "job": known.get("scrun.job-id", ""),
        "nodes": known.get("scrun.nodes", ""),
        "reason": next((known[key] for key in REASONS if key in known), ""),
    }
