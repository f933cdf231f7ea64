"""What of its job Slurm lets a user change, and how ``scontrol update`` calls it (scontrol(1), JOBS - SPECIFICATIONS).

Tried with 22.05: the time limit of a job that runs can be lowered and that of one that waits also raised, niceness can
be raised, memory can be changed as long as the job waits. 26.05 also lowers the memory of one that runs.
"""

from collections.abc import Mapping

from proto.errors import SettingsError, UnsupportedError

from .messages import judge
from .option_table import Version
from .time_text import INVALID, time_str2mins

FIELDS = {"time": "TimeLimit", "nice": "Nice", "mem": "MinMemoryNode"}
"""By the names that the options have."""
MEMORY: Version = (26, 5)
"""From here on the memory of a job that runs can be lowered."""


def words(job_id: int, changes: Mapping[str, str]) -> list[str]:
    """The words behind ``scontrol``."""
    return ["update", f"JobId={job_id}", *(f"{FIELDS[name]}={value}" for name, value in changes.items())]


def check(changes: Mapping[str, str]) -> None:
    """See whether the values are such as Slurm can read.

    Raises:
        SettingsError: one is not.

    """
    time, nice = changes.get("time"), changes.get("nice")
    if time is not None and time_str2mins(time[1:] if time[:1] in {"+", "-"} else time) == INVALID:
        raise SettingsError(
            f"{time[:40]!r} is no time: 30 (minutes), 2:00:00 or 1-12, or +10 and -10 for more and less"
        )
    if nice is not None and not nice.removeprefix("-").isdecimal():
        raise SettingsError(f"{nice[:40]!r} is no niceness: it is a number")


def refusal(changes: Mapping[str, str], said: str) -> UnsupportedError:
    """Why it was not changed, by what scontrol has said."""
    if "permission denied" in said.lower():
        return UnsupportedError(
            "Slurm does not allow it: its users may lower a job's time limit and raise its niceness, and only "
            "administrators may do more"
        )
    verdict = judge(f"error: {line}" for line in said.splitlines() if line.strip())
    why = verdict.sentence if verdict else "scontrol failed without a word"
    return UnsupportedError(f"the job's {' and '.join(changes)} cannot be changed now; {why}")
