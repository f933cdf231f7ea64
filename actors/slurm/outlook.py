"""What lies before a job that waits: squeue's list of all jobs that wait, read for one of them.

squeue has no field for a job's place, but one for its priority (``PriorityLong``), by which Slurm goes through the
jobs of a partition. ``StartTime`` of a job that waits is what the backfill scheduler expects, if it has come so far
(squeue(1), ``--start``). Where ``PrivateData`` hides other users' jobs, the place cannot be known.
"""

from proto.value import Value

from .queue_format import UNSET
from .scheduler import Outlook

FIELDS = ("JobID", "State", "PriorityLong", "Partition", "StartTime", "Reason")
FORMAT = ",".join(f"{name}:|" for name in FIELDS)
STATES = "PENDING,CONFIGURING"
BOOTING = "CONFIGURING"
"""State of a job that has its nodes, which are booting."""
_IN_LINE = frozenset({"Priority", "Resources"})
"""Reasons of jobs that would start before one of lower priority; all others wait for something else than nodes."""


class _Row(Value):
    job_id: int
    state: str
    priority: int
    partitions: frozenset[str]
    start: str
    reason: str


def read(text: str, job_id: int) -> Outlook | None:
    """Read an answer in ``FORMAT``; None if the job is not in it: it has begun, or is over."""
    rows = _rows(text)
    mine = next((row for row in rows if row.job_id == job_id), None)
    if mine is None:
        return None
    ahead = sum(_is_before(row, mine) for row in rows)
    return Outlook(mine.state, _set(mine.reason), ahead, _set(mine.start))


def read_all(text: str) -> dict[int, Outlook]:
    """Read an answer about some of the jobs that wait: each by its number, without its place, which needs them all."""
    return {row.job_id: Outlook(row.state, _set(row.reason), start=_set(row.start)) for row in _rows(text)}


def words(uid: int | None) -> tuple[str, ...]:
    """What to ask squeue for the jobs that wait: one user's, or all that the caller may see."""
    whose = () if uid is None else ("-u", str(uid))
    return ("-h", "-t", STATES, "-O", FORMAT, *whose)


def _rows(text: str) -> list[_Row]:
    return [row for row in map(_row, text.splitlines()) if row is not None]


def _row(line: str) -> _Row | None:
    fields = [field.strip() for field in line.removesuffix("|").split("|", len(FIELDS) - 1)]
    if len(fields) != len(FIELDS) or not fields[0].isdigit() or not fields[2].isdigit():
        return None
    number, state, priority, partitions, start, reason = fields
    return _Row(int(number), state, int(priority), frozenset(partitions.split(",")), start, reason)


def _is_before(other: _Row, mine: _Row) -> bool:
    """Whether Slurm looks at another job first; of two with the same priority at the older one."""
    waits = other.state == "PENDING" and other.reason in _IN_LINE and other.partitions & mine.partitions
    return bool(waits) and (-other.priority, other.job_id) < (-mine.priority, mine.job_id)


def _set(text: str) -> str:
    return "" if text in UNSET else text
