"""What ``srun -v`` says about the step (srun(1), --verbose; texts recorded from 22.05, forms checked to 24.11).

22.05 puts ``launch/slurm: _task_start: `` before its verbose texts and 23.02 does not, so the texts are looked for
anywhere in a line. No text comes from the container: its stderr goes elsewhere.
"""

from proto.exit_codes import KILL, TERM, signal_in

from .messages import clean, judge
from .step_news import StepNews

LAUNCHING = "launching StepId="
STARTED = " tasks started"
TERMINATING = "Terminating StepId="
"""srun ends what still runs: a task has failed (--kill-on-bad-exit), or the first one has long ended (--wait)."""
FINISHED = "Received task exit notification for "
ABANDONED = "Timed out waiting for job step to complete"
OUT_OF_MEMORY = ": Out Of Memory"
SIG_OOM = 253
"""slurmstepd's stand-in for a signal when a task was killed for memory (slurm_protocol_defs.h)."""
NODE_FAILURES = ("Node failure on ", "Communication connection failure", "NODE FAILURE")


def read(text: str, parts: int = 1) -> StepNews:
    """Read all that srun has said so far.

    Args:
        text: that.
        parts: of a heterogeneous allocation in which it starts a step each.

    """
    expected = started = 0
    hosts: list[tuple[str, str]] = []
    statuses: list[int] = []
    own: list[int] = []
    errors: list[str] = []
    terminating = abandoned = out_of_memory = node_failure = False
    complete = text[: text.rfind("\n") + 1]
    for line in complete.splitlines():
        if LAUNCHING in line:
            step_id, host, tasks = _launching(line)
            hosts.append((step_id, host))
            expected += tasks
        elif line.endswith(STARTED):
            started += _last_number(line[: -len(STARTED)])
        elif FINISHED in line:
            count, status = _finished(line)
            statuses += [status] * count
            if not (terminating and _signal(status) in {KILL, TERM}):
                own.append(status)
        elif "error:" in line or "fatal:" in line or "unrecognized option" in line:
            errors.append(line)
        terminating = terminating or TERMINATING in line
        abandoned = abandoned or ABANDONED in line
        out_of_memory = out_of_memory or OUT_OF_MEMORY in line
        node_failure = node_failure or any(mark in line for mark in NODE_FAILURES)
    # srun counts tasks in its own way when some could not be launched; one that ran is proof enough then.
    hosts.sort(key=lambda host: _last_number(host[0].partition(".")[0]))  # the first part's first
    step_ids = tuple(dict.fromkeys(step_id for step_id, _ in hosts))
    running = started > 0 and started >= expected and len(step_ids) >= parts
    done = bool(statuses) and len(statuses) >= max(expected, started)
    verdict = None if running or statuses else judge(errors)
    out_of_memory = out_of_memory or any(status & 0xFF == SIG_OOM for status in statuses)
    return StepNews(
        started=running or bool(statuses),
        wait_status=_worst(own if any(own) else statuses) if done else None,
        step_id=",".join(step_ids),
        nodes=",".join(host for _, host in hosts),
        messages=tuple(clean(line) for line in errors),
        failure=verdict.sentence if verdict else "",
        # With a step's number the nodes may have been told, too.
        away=bool(verdict and verdict.away and not step_ids),
        abandoned=abandoned,
        out_of_memory=out_of_memory,
        node_failure=node_failure,
    )


def _worst(statuses: list[int]) -> int:
    """Srun's rule: the highest signal, or else the highest exit code (srun(1), RETURN VALUE); SIG_OOM is above all."""
    worst = max(statuses, key=lambda status: (status & 0x7F, status >> 8))
    return KILL if worst & 0xFF == SIG_OOM else worst


def _signal(status: int) -> int:
    """Of which a task has died, as its wait status tells, or the exit code of the node's runtime."""
    return status & 0x7F or signal_in(status >> 8)


def _launching(line: str) -> tuple[str, str, int]:
    """``launching StepId=5.0 on host node1, 1 tasks: 0``."""
    rest = line[line.index(LAUNCHING) + len(LAUNCHING) :]
    step_id, _, rest = rest.partition(" on host ")
    host, _, tasks = rest.partition(", ")
    return step_id.partition("+")[0], host, _last_number(tasks.partition(" tasks")[0])


def _finished(line: str) -> tuple[int, int]:
    """``Received task exit notification for 1 task of StepId=5.0 (status=0x0700).``"""
    rest = line[line.index(FINISHED) + len(FINISHED) :]
    count = rest.split(maxsplit=1)[0]
    digits = rest.partition("(status=0x")[2].partition(")")[0]
    try:
        return int(count), int(digits, 16)
    except ValueError:
        return 0, 0


def _last_number(text: str) -> int:
    words = text.split()
    return int(words[-1]) if words and words[-1].isascii() and words[-1].isdigit() else 0
