"""One call of pyslurm in a process of its own: ``pyslurm_worker.py PATHS VERB ARGUMENTS…``.

Prints what squeue prints in the formats of ``queue_format`` and nothing else on stdout; exits with 1 and one line
on stderr when Slurm says no. PATHS is ``sys.path`` of the caller, since ``python -IS`` has none of its own.

========  ===============  ===========================================
verb      arguments        does
========  ===============  ===========================================
load                       says ``LOADED``, or here on stdout why not
inquire   JOB              one line about the job, none if there is none
find      UID              one line for each living job of the user
cancel    JOB              cancels the job
========  ===============  ===========================================
"""

import sys
from typing import Any

LOADED = "loaded"
LIVING = frozenset({"PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "COMPLETING", "STOPPED", "RESIZING"})


def run(pyslurm: Any, words: list[str]) -> str:
    """Carry one verb out and return what goes to stdout."""
    match words:
        case ["load"]:
            return LOADED
        case ["inquire", job]:
            return job_line(pyslurm.Job.load(int(job)))
        case ["find", uid]:
            jobs = pyslurm.Jobs.load().values()
            return "".join(found_line(job) for job in jobs if job.user_id == int(uid) and job.state in LIVING)
        case ["cancel", job]:
            pyslurm.Job(int(job)).cancel()
        case _:
            raise ValueError(f"unknown request: {words}")
    return ""


def job_line(job: Any) -> str:
    """A line in ``queue_format.FORMAT``."""
    preempted = getattr(job, "preempt_time", None) or None  # pyslurm may not know it, and 0 is never
    fields = (job.id, job.state, job.state_reason, job.allocated_nodes, _limit(job.time_limit), preempted)
    return "".join(f"{_text(field)}|" for field in fields) + "\n"


def found_line(job: Any) -> str:
    """A line in ``queue_format.FOUND``."""
    return f"{job.id}|{job.state}|{_text(job.comment)}\n"


def _limit(minutes: int | None) -> str | None:
    """A time limit as squeue has it: ``5:00``, ``1:05:00``, ``2-00:00:00``."""
    if minutes is None:
        return None
    days, rest = divmod(minutes, 24 * 60)
    hours, rest = divmod(rest, 60)
    if days:
        return f"{days}-{hours:02}:{rest:02}:00"
    return f"{hours}:{rest:02}:00" if hours else f"{rest}:00"


def _text(field: object) -> str:
    return "(null)" if field is None else str(field).replace("\n", " ")


def main(argv: list[str]) -> int:
    """Body of the process."""
    sys.path[:0] = argv[1].split(":")
    try:
        import pyslurm

        sys.stdout.write(run(pyslurm, argv[2:]))
    except Exception as error:
        (sys.stdout if argv[2:] == ["load"] else sys.stderr).write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
