"""squeue's answers: one format, from 22.05 to 26.05.

squeue and not scontrol, because here we choose the separator and the order: a job's name and comment come last
and can hold anything. ``%A`` and ``JobID``, not ``%i``, which is ``5_1`` or ``5+0`` for members of arrays and of
heterogeneous jobs (squeue(1), --format). Only the long form has the time of preemption, the one word about it while
a job is in its grace time or COMPLETING. scontrol has no JSON before 23.02, squeue's needs a plugin.
"""

from .scheduler import JobInfo

FIELDS = (
    "JobID", "State", "Reason", "NodeList", "NumNodes", "NumCPUs", "Partition", "Account", "QOS", "TimeLimit",
    "TimeUsed", "PreemptTime", "Comment", "Name",
)  # fmt: skip
FORMAT = ",".join(f"{name}:|" for name in FIELDS).encode()
"""Each field as long as it is, with a bar behind it."""
FOUND = b"%A|%T|%k"
STEPS = b"%i"
UNSET = frozenset({"(null)", "N/A", "n/a", "None"})


def read_job(text: str, job_id: int) -> JobInfo | None:
    """Read an answer in ``FORMAT``; ``None`` if the job is not in it."""
    for line in text.splitlines():
        fields = line.removesuffix("|").split("|", len(FIELDS) - 1)
        if len(fields) == len(FIELDS) and fields[0].strip() == str(job_id):
            state, reason, nodes, count, cpus, partition, account, qos, limit, used = fields[1:-3]
            preempted, comment, name = fields[-3:]
            return JobInfo(
                job_id, state, _set(reason), _set(nodes), _number(count), _number(cpus), partition,
                _set(account), _set(qos), _set(limit), used, bool(_set(preempted)), _set(comment), name,
            )  # fmt: skip
    return None


def read_found(text: str, mark: str) -> list[int]:
    """Read an answer in ``FOUND``: the jobs that live and whose comment has the mark as a word."""
    found = []
    for line in text.splitlines():
        fields = line.split("|", 2)
        if len(fields) == 3 and fields[0].isdigit() and mark in fields[2].replace(",", " ").split():
            found.append(int(fields[0]))
    return found


def read_steps(text: str) -> list[str]:
    """Read an answer in ``STEPS``: numbered steps only, not ``5.extern`` or ``5.batch``."""
    steps = []
    for line in text.splitlines():
        job, _, step = line.strip().partition("+")[0].partition(".")
        if job.isdigit() and step.isdigit():
            steps.append(f"{job}.{step}")
    return steps


def _set(text: str) -> str:
    return "" if text in UNSET else text


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
