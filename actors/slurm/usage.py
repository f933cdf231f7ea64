"""What a step uses, as sstat tells it (22.05 to 26.05).

Totals over all tasks are only in the TRES fields. Where the cluster gathers nothing (``jobacct_gather/none``), sstat
still answers: with no tasks, empty fields and a processor time of 584 years.
"""

import re

from proto.value import Value

FORMAT = "JobID,NTasks,TRESUsageInTot,TRESUsageInMax"
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "P": 1 << 50}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGTP]?)$")
_TIME = re.compile(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)(?:\.\d+)?$")


class Usage(Value):
    """Numbers of one moment; None where Slurm does not say.

    Attributes:
        cpu: seconds of processor time, user and system together.
        memory: bytes that are resident now.
        peak: the most there ever were; only of a single task, for several had theirs at different times.

    """

    cpu: int | None = None
    memory: int | None = None
    peak: int | None = None


def words(step_id: str) -> tuple[str, ...]:
    """What to ask sstat."""
    return ("--noheader", "--parsable2", "--allsteps", f"--jobs={step_id}", f"--format={FORMAT}")


def read(text: str, step_id: str) -> Usage | None:
    """Read an answer in ``FORMAT`` with ``--parsable2``; ``None`` if the step is not in it."""
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) == 4 and fields[0] == step_id:
            total, most = _tres(fields[2]), _tres(fields[3])
            if fields[1] in {"", "0"}:
                return Usage()
            peak = _size(most.get("mem", "")) if fields[1] == "1" else None
            return Usage(_seconds(total.get("cpu", "")), _size(total.get("mem", "")), peak)
    return None


def data(usage: Usage) -> dict[str, object]:
    """The numbers where runc's ``events`` has them; what Slurm does not know is left out."""
    found: dict[str, object] = {}
    if usage.cpu is not None:
        found["cpu"] = {"usage": {"total": usage.cpu * 1_000_000_000}}
    memory = {"usage": usage.memory, "max": usage.peak}
    known = {name: value for name, value in memory.items() if value is not None}
    if known:
        found["memory"] = {"usage": known}
    return found


def _tres(text: str) -> dict[str, str]:
    return dict(word.split("=", 1) for word in text.split(",") if "=" in word)


def _size(text: str) -> int | None:
    match = _SIZE.match(text)
    return int(float(match[1]) * _UNITS[match[2]]) if match else None


def _seconds(text: str) -> int | None:
    match = _TIME.match(text)
    if not match:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
