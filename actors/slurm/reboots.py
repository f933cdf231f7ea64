"""Whether a node of a step was started anew while the step ran, which srun may never hear of.

A node that is back within SlurmdTimeout is no failed node for slurmctld where ReturnToService is 2. slurmctld tells
srun that the step is missing there, and srun then tries the connection by which the node's output comes. One that was
closed in order, as a node that goes down closes it, srun does not try, and so it waits for ever (seen with 24.11).

As long as a step runs, srun has one connection with each of its nodes. Whoever sees that one is missing asks Slurm
when the nodes were booted: no question is asked about a step whose connections are there.
"""

import os

_ESTABLISHED = "01"
"""State in ``/proc/net/tcp`` (``TCP_ESTABLISHED`` of net/tcp_states.h)."""
ASK = b'"$1" -o show node "$3"; "$2" -h -s -j "$4" -o "%i StartTime=%S"'
"""What asks: scontrol when the nodes were booted, squeue when the job's steps began, in the same clock's words."""


def connections(pid: int) -> int | None:
    """How many TCP connections a process has; None if that cannot be seen."""
    try:
        sockets = {_inode(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
        rows = [row for family in ("tcp", "tcp6") for row in _rows(f"/proc/{pid}/net/{family}")]
    except OSError:
        return None
    return sum(1 for row in rows if row[3] == _ESTABLISHED and row[9] in sockets)


def read(text: str, step_id: str) -> tuple[str, ...]:
    """The names of those nodes that were booted after the step had begun.

    Args:
        text: the answers to ``ASK``.
        step_id: ``JOB.STEP``.

    """
    booted: dict[str, str] = {}
    began = ""
    for line in text.splitlines():
        words = line.split()
        facts = dict(word.partition("=")[::2] for word in words)
        if "NodeName" in facts:
            booted[facts["NodeName"]] = facts.get("BootTime", "")
        elif words[:1] == [step_id]:
            began = facts.get("StartTime", "")
    # Both are of one form, YYYY-MM-DDTHH:MM:SS, in which the later one is the greater one; "None" is of another.
    return tuple(name for name, time in booted.items() if began[:1].isdigit() and time[:1].isdigit() and time > began)


def _inode(path: str) -> str:
    try:
        return os.readlink(path).removeprefix("socket:[").removesuffix("]")
    except OSError:
        return ""


def _rows(path: str) -> list[list[str]]:
    with open(path, encoding="ascii") as file:
        return [line.split() for line in file.readlines()[1:]]
