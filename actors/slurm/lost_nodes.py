"""Whether a step has lost one of its nodes, which srun may never hear of.

A node that is back within SlurmdTimeout is no failed node for slurmctld where ReturnToService is 2. slurmctld tells
srun that the step is missing there, and srun then tries the connection by which the node's output comes. One that was
closed in order, as a node that goes down closes it, srun does not try, and so it waits for ever (seen with 24.11). It
waits for ever, too, if the step's slurmstepd is killed: the kernel closes the connection in order, slurmctld asks
nobody, and the program runs on in nobody's care (22.05).

As long as a step runs, srun has one connection with each of its nodes. Whoever sees that one is missing asks Slurm
when the nodes were booted, and each node's slurmd for the step's processes, which slurmstepd has to tell it. If one of
them cannot, sstat says nothing at all; if a slurmd does not answer, it says so.
"""

import os

from proto.value import Value

_ESTABLISHED = "01"
"""State in ``/proc/net/tcp`` (``TCP_ESTABLISHED`` of net/tcp_states.h)."""
ASK = (
    b'"$1" -o show node "$4"; "$2" -h -s -j "$5" -o "%i StartTime=%S"\n'
    b'said=$("$3" --noheader --parsable2 --pidformat --jobs="$6" 2>&1) && echo "Processes=$said"'
)
"""What asks: scontrol when the nodes were booted, squeue when the job's steps began, in the same clock's words, and
sstat for the processes of the step."""


class Loss(Value):
    """What a step has lost.

    Attributes:
        sentence: about it.
        orphaned: whether its program may run on.

    """

    sentence: str
    orphaned: bool = False


def connections(pid: int) -> int | None:
    """How many TCP connections a process has; None if that cannot be seen."""
    try:
        sockets = {_inode(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
        rows = [row for family in ("tcp", "tcp6") for row in _rows(f"/proc/{pid}/net/{family}")]
    except OSError:
        return None
    return sum(1 for row in rows if row[3] == _ESTABLISHED and row[9] in sockets)


def read(text: str, step_id: str, nodes: str) -> Loss | None:
    """What the step has lost, if anything.

    Args:
        text: the answers to ``ASK``.
        step_id: ``JOB.STEP``.
        nodes: of the step, with commas.

    """
    booted: dict[str, str] = {}
    began = ""
    silent = False
    for line in text.splitlines():
        words = line.split()
        facts = dict(word.partition("=")[::2] for word in words)
        if "NodeName" in facts:
            booted[facts["NodeName"]] = facts.get("BootTime", "")
        elif words[:1] == [step_id]:
            began = facts.get("StartTime", "")
        silent = silent or line == "Processes="
    if not began[:1].isdigit():
        return None
    # Both are of one form, YYYY-MM-DDTHH:MM:SS, in which the later one is the greater one; "None" is of another.
    anew = [name for name, time in booted.items() if time[:1].isdigit() and time > began]
    if anew:
        return Loss(f"node {', '.join(anew)} was started anew while the container ran")
    if silent:
        where = f"one of {nodes}" if "," in nodes else nodes
        return Loss(f"Slurm's daemon of the container (slurmstepd) was killed or has crashed on {where}", orphaned=True)
    return None


def _inode(path: str) -> str:
    try:
        return os.readlink(path).removeprefix("socket:[").removesuffix("]")
    except OSError:
        return ""


def _rows(path: str) -> list[list[str]]:
    with open(path, encoding="ascii") as file:
        return [line.split() for line in file.readlines()[1:]]
