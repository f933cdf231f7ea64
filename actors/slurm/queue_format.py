"""squeue's answers: one format, from 22.05 to 26.05.

squeue and not scontrol, because here we choose the fields, their order and the separator; what a user may write into
a job is not asked for (its name), or comes last (its comment). ``%A`` and ``JobID``, not ``%i``, which is ``5_1`` or
``5+0`` for members of arrays and of heterogeneous jobs (squeue(1), --format). Only the long form has the time of
preemption, the one word about it while a job is in its grace time or COMPLETING. scontrol has no JSON before 23.02,
squeue's needs a plugin.
"""

from .scheduler import JobInfo

FIELDS = ("JobID", "State", "Reason", "NodeList", "TimeLimit", "PreemptTime")
FORMAT = ",".join(f"{name}:|" for name in FIELDS).encode()
"""Each field as long as it is, with a bar behind it."""
NAMED = {
    "JobID": "job", "State": "state", "Reason": "reason", "NodeList": "nodes", "SchedNodes": "planned nodes",
    "PriorityLong": "priority", "SubmitTime": "submitted", "StartTime": "start", "EndTime": "end",
    "TimeLimit": "time limit", "TimeLeft": "time left", "Partition": "partition", "Account": "account", "QOS": "qos",
    "NumNodes": "node count", "NumCPUs": "cpus", "MinMemory": "memory",
}  # fmt: skip
"""The fields that people are told of, and by which names."""
DETAILS = ",".join(f"{name}:|" for name in NAMED).encode()
FOUND = b"%A|%T|%k"
UNSET = frozenset({"(null)", "N/A", "n/a", "None"})


def read_job(text: str, job_id: int) -> JobInfo | None:
    """Read an answer in ``FORMAT``; ``None`` if the job is not in it."""
    for line in text.splitlines():
        fields = line.removesuffix("|").split("|")
        if len(fields) == len(FIELDS) and fields[0].strip() == str(job_id):
            state, reason, nodes, limit, preempted = fields[1:]
            return JobInfo(state, _set(reason), _set(nodes), _set(limit), bool(_set(preempted)))
    return None


def read_details(text: str, job_id: int) -> dict[str, str] | None:
    """Read an answer in ``DETAILS``: what is set, by the names for people; ``None`` if the job is not in it."""
    for line in text.splitlines():
        fields = line.removesuffix("|").split("|")
        if len(fields) == len(NAMED) and fields[0].strip() == str(job_id):
            return {name: value for name, field in zip(NAMED.values(), fields, strict=True) if (value := _set(field))}
    return None


def read_found(text: str, mark: str) -> list[int]:
    """Read an answer in ``FOUND``: the jobs that live and whose comment has the mark as a word."""
    found = []
    for line in text.splitlines():
        fields = line.split("|", 2)
        if len(fields) == 3 and fields[0].isdigit() and mark in fields[2].replace(",", " ").split():
            found.append(int(fields[0]))
    return found


def _set(text: str) -> str:
    return "" if text in UNSET else text
