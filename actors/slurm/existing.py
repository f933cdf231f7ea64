"""An allocation that is there already: what Slurm says of it, and why a container cannot run in it.

A heterogeneous one (``salloc … : …``) is several jobs, its parts, which srun reaches by the number of the first one and
``--het-group``; without that word and a number it says nothing of use.
"""

from collections.abc import Mapping

from proto.value import Value

FIELDS = ("JobID", "State", "NumNodes", "NumCPUs", "HetJobID", "HetJobOffset")
FORMAT = ",".join(f"{name}:|" for name in FIELDS)
GONE = "there is no job {} of yours (any more); squeue --me shows which there are"
STATES = {
    "PENDING": "still waits for its nodes: start the container once it has them",
    "CONFIGURING": "still waits for its nodes to boot: start the container once they have",
    "SUSPENDED": "is suspended: nothing can be started in it",
}
"""What is to be said of a job that does not run; of a state that is not here, that it has ended."""
MOST_GROUPS = 128
"""Parts that one job has at most (``MAX_HET_JOB_COMPS``)."""


class Part(Value):
    """One job of an allocation.

    Attributes:
        state: Slurm's word.
        nodes, cpus: how many it has; 0 where Slurm does not say a number.
        leader: number of the first job of a heterogeneous allocation; 0 for any other.
        offset: its place in that.

    """

    state: str
    nodes: int
    cpus: int
    leader: int = 0
    offset: int = 0


Parts = dict[int, Part]


def words(uid: int) -> tuple[str, ...]:
    """Of squeue: all jobs of a user. About one job that it does not know it says nothing but an error."""
    return ("-h", "-t", "all", "-O", FORMAT, "-u", str(uid))


def read(text: str, job_id: int) -> Parts:
    """The job of this number, and all others of the heterogeneous allocation that it leads."""
    rows = [line.removesuffix("|").split("|") for line in text.splitlines()]
    found: Parts = {}
    for fields in (row for row in rows if len(row) == len(FIELDS)):
        number, nodes, cpus, leader, offset = map(_number, (fields[0], *fields[2:]))
        if job_id in {number, leader}:
            found[number] = Part(fields[1], nodes, cpus, leader, offset)
    return found


def is_heterogeneous(parts: Parts, job_id: int) -> bool:
    """Whether the job is one part of several."""
    return bool(parts[job_id].leader)


def objection(parts: Parts, job_id: int, options: Mapping[str, str]) -> str:
    """Why a container with these options cannot run in the allocation: a sentence, or nothing.

    Args:
        parts: as ``read`` gave them.
        job_id: by which the user has named it.
        options: of the job.

    """
    mine = parts.get(job_id)
    if mine is None:
        return GONE.format(job_id)
    if mine.leader and mine.leader != job_id:
        return (
            f"job {job_id} is part {mine.offset} of the heterogeneous job {mine.leader}: "
            f"say scrun.jobid={mine.leader} and scrun.het-group={mine.offset}"
        )
    if mine.state != "RUNNING":
        return f"job {job_id} {STATES.get(mine.state, f'has ended ({mine.state})')}"
    asked = options.get("het-group", "")
    if not mine.leader:
        return f"job {job_id} is not heterogeneous, so it has no scrun.het-group" if asked else _shortage(mine, options)
    by_offset = {part.offset: part for part in parts.values()}
    for group in groups(asked):
        if group not in by_offset:
            return f"job {job_id} has the parts 0 to {max(by_offset)}, and scrun.het-group says {asked}"
        if sentence := _shortage(by_offset[group], options):
            return sentence
    return "" if groups(asked) else f"scrun.het-group says {asked}: parts have numbers, as in 0, 1-2 or 0,3"


def groups(text: str) -> list[int]:
    """The parts that ``--het-group`` names, in order; without a word the first one, as for srun; none for nonsense."""
    found: set[int] = set()
    for word in (text or "0").split(","):
        first, _, last = word.partition("-")
        if not (first.isdecimal() and (last or first).isdecimal() and int(last or first) < MOST_GROUPS):
            return []
        found |= set(range(int(first), int(last or first) + 1))
    return sorted(found)


def _shortage(part: Part, options: Mapping[str, str]) -> str:
    """What of nodes and CPUs a container asks for that a job has not."""
    nodes = _number(options.get("nodes", "").partition("-")[0])
    if part.nodes and nodes > part.nodes:
        return f"scrun.nodes asks for {nodes} nodes, and the allocation has {part.nodes}"
    tasks = _number(options.get("ntasks", "")) or nodes or 1
    cpus = tasks * (_number(options.get("cpus-per-task", "")) or 1)
    if part.cpus and cpus > part.cpus and options.get("overcommit") != "yes":
        return f"the container asks for {cpus} CPUs (tasks, and CPUs of each), and the allocation has {part.cpus}"
    return ""


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() else 0
