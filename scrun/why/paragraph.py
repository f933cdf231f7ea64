"""Why a container waits, has failed or has ended, in one paragraph with what to do: tables, and how they are joined."""

import pwd
import time

from actors.slurm.outlook import BOOTING
from actors.slurm.scheduler import Outlook
from proto.life.ending import Ending, EndKind
from scrun.box.box import ABANDONED
from scrun.report.durations import length, local, moment

from .case import Case
from .reasons import explain

PHASES: dict[str, tuple[str, str]] = {
    "none": ("has just been created, and has asked for no job yet", ""),
    "requested": (
        "waits for Slurm's answer to its request for a job",
        "If that lasts, scontrol ping tells whether the controller is there, and scrun doctor looks at the way to it.",
    ),
    "queued": ("waits in Slurm's queue{job}", ""),
    "staging in": (
        "waits until its image and files are where the nodes see them{job}",
        "An image is copied once; scrun image push makes it one for all.",
    ),
    "created": ("is ready{nodes}{job}, and waits to be started", "The engine does so, or scrun start."),
    "launching": (
        "is being started by Slurm{nodes}{job}",
        "If that lasts, scrun doctor --nodes tries what a node needs for it.",
    ),
    "running": ("runs{nodes}{job}", ""),
    "paused": ("is paused{nodes}{job}", "scrun resume, or unpause of the engine, lets it go on."),
    "ending": (
        "is ending{job}: what it has changed is brought back, and the job is given back",
        "If that lasts, scrun console has the table wants, which names what is missing.",
    ),
    ABANDONED: (
        "has lost the process that stood for it{job}, and its end is not recorded yet",
        "Its guard is at that; if that was killed, too, scrun gc or scrun delete --force does it.",
    ),
}
"""For each phase but ``stopped`` what it means and what can be done; ``{job}`` and the like may be empty."""

ENDS: dict[EndKind, str] = {
    "exited": "What the program said is in the engine's log of the container.",
    "signalled": "No limit of Slurm's did that: look for it in the program, or ask who sent the signal.",
    "time-limit": "Ask for more time with scrun.time; sinfo -o '%P %l' shows what each partition gives.",
    "preempted": "Run it again, or where no other job takes the nodes away (scrun.qos, scrun.partition).",
    "node-failure": "Run it again; scrun.exclude keeps it away from a node, and the administrators will want to know.",
    "cancelled": "If that was not you, sacct -X -o JobID,State%30,Comment,AdminComment -j JOB may tell who, or why.",
    "out-of-memory": "Ask for more memory with scrun.mem, or --memory of the engine.",
    "launch-failed": "scrun doctor --nodes tries what a node needs to start a container.",
    "refused": "Change what it asked for and create it again; docs/operations.md has what errors mean.",
    "staging-failed": "scrun doctor looks at the staging directory and says what is wrong with it.",
    "lost": "sacct -j JOB may know more; if it happens again, scrun doctor --nodes looks at the nodes.",
    "killed": "Somebody asked for that: kill, stop or rm of the engine.",
}
"""What can be done about each kind of end, with JOB for the job's number; what it means is in its own sentence."""

ASKED = frozenset({"queued", "staging in", "launching"})
"""Phases about which Slurm knows more than the journal."""
SILENT = "Slurm did not answer when it was asked for more."


def paragraph(
    case: Case, now: float, outlook: Outlook | None = None, *, silent: bool = False, by: int | None = None
) -> str:
    """Say what is the matter with a container.

    Args:
        case: what is known of it.
        now: seconds since the epoch.
        outlook: what Slurm says of its job, if it was asked and knows.
        silent: whether Slurm was asked and did not answer.
        by: whose command cancelled its job, if that is known.

    """
    name = case.id[:12] if len(case.id) == 64 else case.id  # as podman and docker show ids
    over = case.ending if case.phase == "stopped" else None
    sentences = _ended(case, over, now, by) if over else _going(case, now, outlook)
    return " ".join([f"Container {name} {sentences[0]}", *filter(None, sentences[1:]), *([SILENT] if silent else [])])


def place(outlook: Outlook, now: float) -> str:
    """The place in the queue and the start that Slurm expects, as far as they are known."""
    jobs = f"{outlook.ahead} job{'s' if outlook.ahead > 1 else ''} before it" if outlook.ahead else ""
    start = f"start expected at {moment(outlook.start, local(now).partition('T')[0])}" if outlook.start else ""
    return ", ".join(filter(None, (jobs, start)))


def is_booting(outlook: Outlook | None) -> bool:
    """Whether the job has its nodes, which are booting."""
    return outlook is not None and outlook.state == BOOTING


def _going(case: Case, now: float, outlook: Outlook | None) -> list[str]:
    means, advice = PHASES[case.phase]
    means = means.format(
        job=f" (job {case.job_id})" if case.job_id else "",
        nodes=f" on {case.nodes}" if case.nodes else "",
    )
    first = f"{means}, for {length(now - case.since)} so far."
    if case.phase == "ending" and case.ending and case.ending.sentence:
        return [first, f"The reason: {case.ending.sentence.rstrip('.')}.", advice]
    if case.phase != "queued" and is_booting(outlook):
        return [first, "Its nodes are booting.", advice]
    if case.phase == "staging in" and case.progress:
        return [first, f"Copied so far: {case.progress}.", advice]
    if case.phase != "queued":
        return [first, advice]
    reason = outlook.reason if outlook else case.reason
    where = place(outlook, now) if outlook else ""
    if not reason:
        return [first, f"Slurm says: {where}." if where else ""]
    found = explain(reason)
    said = f"Slurm's reason is {reason.partition(',')[0]}: {found.words}{f' ({where})' if where else ''}."
    return [first, said, _advice(found.advice, case)]


def is_cancelled(case: Case) -> bool:
    """Whether somebody or something else than scrun has cancelled its job."""
    ending = case.ending if case.phase == "stopped" else None
    return ending is not None and ending.kind == "cancelled" and not ending.sentence.startswith("cancelled by")


def _ended(case: Case, ending: Ending, now: float, by: int | None) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(case.since))
    job = f" It was job {case.job_id}{f' on {case.nodes}' if case.nodes else ''}." if case.job_id else ""
    unrun = "" if case.ran else ", and its program never ran"
    first = f"ended with exit code {ending.exit_code} at {when}, {length(now - case.since)} ago{unrun}."
    why = ending.sentence or "the program ended by itself"
    advice = "" if ending.kind == "exited" and ending.exit_code == 0 else _advice(ENDS[ending.kind], case)
    if by is not None:
        advice = f"Slurm's books say that {_user(by)} did that."
    return [first + job, f"The reason ({ending.kind}): {why.rstrip('.')}.", advice]


def _user(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"the user with the id {uid}"


def _advice(text: str, case: Case) -> str:
    """The advice for this job; what is about a job is of no use if there was none."""
    return "" if "JOB" in text and not case.job_id else text.replace("JOB", str(case.job_id))
