"""Slurm's words in ours: one table, and what is left of a text that is not in it.

Two reasons to reword. A person shall read what to do, not what failed inside. And podman takes texts that contain
"no such file or directory", "permission denied", "operation not permitted" or "executable file not found" for a
fault of the container's program (exit status 126 or 127), wherever they come from.
"""

from proto.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class Saying(Value):
    """One of Slurm's messages.

    Attributes:
        marks: texts that must all be in what Slurm said (lower case).
        sentence: ours.
        transient: whether the same request may succeed later.
        away: whether the controller has not heard the request, so that it may be made again; it is transient, too.
        quote: whether Slurm's own line says more than ours (a name, a number) and follows it.

    """

    marks: tuple[str, ...]
    sentence: str
    transient: bool = False
    quote: bool = False
    away: bool = False


BUSY = "the nodes are busy and scrun.immediate does not allow to wait"
NODE_REFUSED = "a node of the step took no connection; is its slurmd running?"
"""It has heard nothing; others may have."""

TABLE: tuple[Saying, ...] = (
    # --- the way to the controller: slurm.conf, munged or sackd, slurmctld
    Saying(
        ("cannot stat file", "slurm.conf"),
        "slurm.conf was not found; set SLURM_CONF or slurm_conf in scrun.toml, and run scrun doctor",
    ),
    Saying(
        ("munge encode failed",),
        "munge did not answer; is munged running here? (scrun doctor checks it)",
        transient=True,
        away=True,
    ),
    # (auth/slurm: "'SLURM_SACK_SOCKET=…'", or "any sack sockets" of the usual places)
    Saying(
        ("failed to connect to", "sack"),
        "sackd did not answer; is it running here? (scrun doctor checks it)",
        transient=True,
        away=True,
    ),
    Saying(("munge decode failed",), "munge refused our credential; do all machines have the same key and clock?"),
    Saying(
        ("protocol authentication error",),
        "Slurm refused our credential; is munged or sackd running, with the same key as on the controller?",
        transient=True,
    ),
    Saying(
        ("invalid authentication credential",),
        "Slurm refused our credential; is munged or sackd running, with the same key as on the controller?",
    ),
    Saying(
        ("unable to contact slurm controller",),
        "Slurm's controller did not answer; is slurmctld running and reachable?",
        transient=True,
        away=True,
    ),
    # What a node says as the second of two; it may have heard us all the same.
    Saying(("slurm_receive_msgs", "timed out"), "a node did not answer in time", transient=True),
    Saying(("socket timed out on send/recv",), "Slurm's controller did not answer in time", transient=True, away=True),
    Saying(
        ("unexpected missing socket error",),
        "Slurm broke off the connection; is munged or sackd running here? (scrun doctor checks it)",
        transient=True,
        away=True,
    ),
    Saying(
        ("zero bytes were transmitted or received",),
        "Slurm broke off the connection; is munged or sackd running, with the same key as on the controller?",
        transient=True,
    ),
    Saying(("can't be reached now",), "the named cluster is unknown or cannot be reached", transient=True, quote=True),
    Saying(("unable to process configuration file",), "slurm.conf cannot be read; run scrun doctor"),
    Saying(("unable to resolve", "unknown host"), "Slurm's controller has an unknown host name", quote=True),
    # --- who we are
    Saying(("invalid user id",), "Slurm refused the user id; inside a user namespace unshare(1) must map the real one"),
    Saying(("user not found on host",), "the nodes do not know this user"),
    Saying(("invalid group id",), "Slurm refused the group id"),
    Saying(
        ("invalid account or account/partition",),
        "Slurm refused the account, or the account in this partition; set scrun.account",
    ),
    Saying(("invalid qos",), "Slurm refused the quality of service; set scrun.qos"),
    Saying(("invalid wckey",), "Slurm refused the wckey; set scrun.wckey"),
    Saying(("access/permission denied",), "Slurm does not allow this user to do so"),
    Saying(("user's group not permitted to use this partition",), "this user's group may not use the partition"),
    # --- what we asked for
    Saying(("invalid partition",), "there is no such partition, or it may not be used", quote=True),
    Saying(("partition", "down", "draining"), "the partition takes no jobs at the moment", transient=True),
    Saying(("required partition not available",), "the partition takes no jobs at the moment", transient=True),
    Saying(("invalid node name",), "there is no such node"),
    Saying(("node count specification invalid",), "so many nodes cannot be had; ask for fewer (scrun.nodes)"),
    Saying(
        ("only allocated", "nodes asked for"), "the allocation has fewer nodes than the container asks for", quote=True
    ),
    Saying(
        ("more processors requested than permitted",),
        "more CPUs or nodes were asked for than the partition or the allocation has",
    ),
    Saying(
        ("requested node configuration is not available",),
        "no node of the partition has what was asked for (CPUs, memory, gres, features)",
    ),
    Saying(("memory specification can not be satisfied",), "no node of the partition has so much memory"),
    Saying(("memory required by task is not available",), "the allocation has less memory than the container asks for"),
    Saying(("invalid generic resource (gres)",), "the cluster has no such gres, or not so many"),
    Saying(("invalid feature specification",), "no node has such a feature"),
    Saying(("requested reservation is invalid",), "there is no such reservation, or it is not active now"),
    Saying(("access denied to requested reservation",), "this user may not use the reservation"),
    Saying(("invalid license specification",), "the cluster has no such license"),
    Saying(("job dependency problem",), "the job that this one depends on is unknown"),
    Saying(("requested time limit is invalid",), "the time limit is missing or beyond the partition's; set scrun.time"),
    Saying(
        ("violates accounting/qos policy",),
        "the job is beyond a limit of the account or quality of service (number or size of jobs, time)",
        transient=True,
    ),
    Saying(
        ("task launch", "unspecified error"),
        "a node does not see the bundle, or could not use its config.json or its own oci.conf (if root is nobody on "
        "the staging directory's file system, the way there must be open); scrun doctor --nodes tells more",
        quote=True,
    ),
    Saying(
        ("unspecified error",),
        "Slurm refused the job and gave no reason; the site's submit plugin may have one",
        quote=True,
    ),
    Saying(("unrecognized option",), "this Slurm does not know a job option", quote=True),
    Saying(("requires an argument",), "a job option needs a value", quote=True),
    Saying(("invalid --",), "a job option has a value that Slurm does not understand", quote=True),
    Saying(("invalid mpi type",), "this host's Slurm cannot use the MPI plug-in; set scrun.mpi", quote=True),
    Saying(("invalid numeric value",), "a job option has a value that Slurm does not understand", quote=True),
    Saying(("chdir(",), "the directory of the job option chdir cannot be entered", quote=True),
    Saying(
        ("immediate execution impossible",),
        BUSY,
        transient=True,
    ),
    # srun's word, and salloc's: a controller that is away "timed out on send/recv".
    Saying(("unable to allocate resources: requested nodes are busy",), BUSY, transient=True),
    Saying(("unable to allocate resources: connection timed out",), BUSY, transient=True),
    Saying(("resource temporarily unavailable",), "the nodes are busy at the moment", transient=True),
    Saying(("unable to allocate resources",), "Slurm did not give the nodes", quote=True),
    # --- the end of a job
    Saying(("job has been cancelled",), "the job was cancelled while it was queued"),
    Saying(("has been revoked",), "the job was revoked before it was used"),
    Saying(("job aborted due to signal",), "the request was withdrawn"),
    Saying(("already completing or completed",), "the job has ended"),
    Saying(("has expired",), "the job has ended"),
    Saying(("expired or invalid job",), "the job has ended"),
    Saying(("invalid job id specified",), "there is no such job (any more)"),
    Saying(("job is pending execution",), "the job still waits for its nodes", transient=True),
    # --- the launch of a step
    Saying(("unexpected number of tasks",), "this Slurm runs one container per node only; ask for fewer tasks"),
    Saying(
        ("task launch", "no such file or directory"),
        "a node does not see the bundle, or its config.json cannot be used there; is it on a shared file system?",
    ),
    Saying(("task launch", "permission denied"), "a node may not read the bundle; check the modes of its directories"),
    Saying(("task launch", "communication connection failure"), "a node did not answer", transient=True, quote=True),
    Saying(("communication connection failure",), NODE_REFUSED, transient=True),
    Saying(("task launch",), "a node did not start the container", quote=True),
    Saying(("unable to create step",), "Slurm did not make the step", quote=True),
    Saying(("step creation temporarily disabled",), "other steps hold the job's resources", transient=True),
    Saying(("cannot open", "file"), "srun could not open a file of the container's input or output"),
    Saying(("node failure",), "a node of the job failed", quote=True),
    Saying(("out of memory",), "the program exceeded the memory limit", quote=True),
    Saying(("oom",), "the program exceeded the memory limit", quote=True),
)
"""The first row that fits the text as a whole wins: rows that say more about the cause stand first."""

MISLEADING: tuple[tuple[str, str], ...] = (
    ("no such file or directory", "not found"),
    ("permission denied", "access refused"),
    ("operation not permitted", "not allowed"),
    ("executable file not found in $path", "program missing"),
    ("executable file not found", "program missing"),
)

TROUBLE = (
    "error:",
    "fatal:",
    "unrecognized option",
    "requires an argument",
    "aborted due to signal",
    "cancelled",
    "revoked",
    "invalid",
    "failed",
)


class Verdict(Value):
    """A sentence about what Slurm said, and what may be done about it: see ``Saying``."""

    sentence: str
    transient: bool = False
    away: bool = False


def judge(lines: "Iterable[str]") -> Verdict | None:
    """Return what the lines say, or ``None`` if none of them tells of trouble."""
    troubles = [line for line in (strip(line) for line in lines) if line and is_trouble(line)]
    if not troubles:
        return None
    whole = [line.lower() for line in troubles]
    for saying in TABLE:
        for line, lower in zip(troubles, whole, strict=True):
            if all(mark in lower for mark in saying.marks):
                quoted = f" (Slurm: {clean(line)})" if saying.quote else ""
                return Verdict(saying.sentence + quoted, saying.transient, saying.away)
    return Verdict("Slurm: " + clean("; ".join(troubles[-2:])))


def is_trouble(line: str) -> bool:
    """Whether a line tells of something that went wrong."""
    low = line.lower()
    return any(mark in low for mark in TROUBLE)


def strip(line: str) -> str:
    """Take the name of the command off: "salloc: error: x" becomes "error: x"."""
    line = line.strip()
    for command in ("salloc: ", "srun: ", "scancel: ", "squeue: ", "slurm_load_jobs "):
        line = line.removeprefix(command)
    return line


def clean(line: str) -> str:
    """Make one line printable, short, and harmless to podman's expressions."""
    line = strip(line).removeprefix("error: ").removeprefix("fatal: ")
    low = line.lower()
    for bad, good in MISLEADING:
        while (at := low.find(bad)) >= 0:
            line = line[:at] + good + line[at + len(bad) :]
            low = line.lower()
    printable = "".join(char if char.isprintable() else " " for char in line)
    return printable if len(printable) <= 300 else printable[:300] + "…"
