"""The row of a process, and its columns. Pure."""

from typing import NamedTuple

from rich.style import Style

from scrun.console.processes import Measure

from .columns import Column, percent, size
from .rows import age
from .tree import Process


class ProcessRow(NamedTuple):
    """What is shown of a process at one moment.

    Attributes:
        process: its place in the tree.
        cpu: share of one processor since the last look.
        measure: what the kernel tells of it.

    """

    process: Process
    cpu: float | None
    measure: Measure


def style(row: ProcessRow) -> Style:
    """Grey is what does not run, red what does not, though it should."""
    actor = row.process.actor
    if actor is None or actor.status == "running":
        return Style()
    return Style(color="bright_black" if actor.status == "stopped" else "red")


def _actor(row: ProcessRow, word: str) -> str:
    return str(getattr(row.process.actor, word)) if row.process.actor else ""


COLUMNS = (
    Column[ProcessRow]("PROCESS", 20, lambda row: row.process.branch + row.process.name),
    Column[ProcessRow]("PID", 7, lambda row: str(row.process.pid or ""), right=True),
    Column[ProcessRow]("STATUS", 8, lambda row: _actor(row, "status")),
    Column[ProcessRow]("RST", 3, lambda row: _actor(row, "restarts"), right=True),
    Column[ProcessRow]("UP", 5, lambda row: age(row.measure.uptime) if row.measure.uptime else "", right=True),
    Column[ProcessRow]("CPU", 4, lambda row: percent(row.cpu), right=True),
    Column[ProcessRow]("MEM", 5, lambda row: size(row.measure.pss, "K"), right=True),
    Column[ProcessRow]("FDS", 4, lambda row: str(row.measure.descriptors or ""), 1, right=True),
    Column[ProcessRow]("", 0, lambda row: _actor(row, "reason")),
)
