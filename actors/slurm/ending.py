"""How a step ended, from what the launcher said, its own exit status and the job's state.

=============  ==========  =====================================================================
kind           exit code   when
=============  ==========  =====================================================================
exited         its own     the program ended by itself
signalled      128 + N     the program died of a signal that no cause below explains
time-limit     137 or 143  Slurm ended the job at its time limit
preempted      137 or 143  a job of higher priority took the nodes
node-failure   137         a node of the job was lost, or its daemon of the step
out-of-memory  137         the memory limit was exceeded, be it by a child: slurmstepd then tells no other status
cancelled      137 or 143  the user, an administrator or Slurm cancelled the job
launch-failed  125         the step never started (125 is what engines use for "not the program's fault")
lost           137         cause unknown: the launcher was killed, or gave up, and the job tells nothing
=============  ==========  =====================================================================

143 where the program was seen to die of TERM, with which Slurm begins; 137 where it was killed, or is not known to
have died of anything milder. When the program ended by itself, its own code or signal always wins, whatever then
happened to the job; an OCI runtime reports a killed program as exit code 128 + N, so with 137 and 143 the job's
state is asked whether Slurm was the killer.
"""

import os

from proto.exit_codes import KILL, KILLED, REFUSED, SIGNALLED, TERM, name, signal_in
from proto.life.ending import Ending, EndKind

from .scheduler import JobInfo
from .step_news import StepNews

STATES: dict[str, tuple[EndKind, str]] = {
    "TIMEOUT": ("time-limit", "the job reached its time limit{limit}"),
    "DEADLINE": ("time-limit", "the job reached its deadline"),
    "PREEMPTED": ("preempted", "the job was preempted"),
    "NODE_FAIL": ("node-failure", "a node of the job failed{nodes}"),
    "BOOT_FAIL": ("node-failure", "a node of the job did not boot{nodes}"),
    "OUT_OF_MEMORY": ("out-of-memory", "the job exceeded its memory limit"),
    "CANCELLED": ("cancelled", "the job was cancelled"),
    "REVOKED": ("cancelled", "the job was revoked by its cluster"),
    "REQUEUED": ("cancelled", "the job was put back into the queue"),
}
"""Job states (squeue(1), JOB STATE CODES) that explain an end that the program did not choose."""

REASONS: dict[str, tuple[EndKind, str]] = {
    "TimeLimit": ("time-limit", "the job reached its time limit{limit}"),
    "OutOfMemory": ("out-of-memory", "the job exceeded its memory limit"),
    "NodeDown": ("node-failure", "a node of the job failed{nodes}"),
}
"""Reasons that explain it while the job is still COMPLETING and its state says no more than that."""

FATAL = frozenset({KILL, TERM})
"""The signals with which Slurm ends a step; a death of another one was the program's own affair."""


def explain(info: JobInfo | None, step: StepNews, status: int) -> Ending:
    """Say how the step ended.

    Args:
        info: the job after the step's end, or ``None`` when Slurm no longer knows it or could not be asked.
        step: what the launcher said.
        status: wait status of the launcher itself.

    """
    own = step.wait_status
    unreliable = step.abandoned or step.node_failure  # srun then exits with 0
    if own is None and step.started and not unreliable and os.WIFEXITED(status):
        own = _from_launcher(os.WEXITSTATUS(status))
    signum = _signal_of(own)
    if own is not None and os.WIFEXITED(own) and signum not in FATAL:
        return _exited(os.WEXITSTATUS(own))
    if cause := _cause(info, step):
        kind, sentence = cause
        return Ending(kind, SIGNALLED + (signum or KILL), signum or KILL, sentence)
    if own is not None and os.WIFEXITED(own):
        return _exited(os.WEXITSTATUS(own))
    if signum:
        return Ending("signalled", SIGNALLED + signum, signum, f"the program was ended by {name(signum)}")
    if not step.started:
        return Ending("launch-failed", REFUSED, 0, step.failure or _unstarted(status))
    return Ending("lost", KILLED, KILL, _lost(step, status))


def _signal_of(status: int | None) -> int:
    """The signal that killed the program: OCI runtimes report such a death as exit code 128 + N."""
    if status is None:
        return 0
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    return signal_in(os.WEXITSTATUS(status))


def _from_launcher(code: int) -> int | None:
    """A wait status out of the launcher's exit code, for a launcher that reported no task's status.

    srun exits with the greatest exit code of its tasks, or 128 + N (srun(1), RETURN VALUE).
    """
    return signal_in(code) or code << 8


def _exited(code: int) -> Ending:
    return Ending("exited", code, 0, f"the program exited with {code}" if code else "")


def _cause(info: JobInfo | None, step: StepNews) -> tuple[EndKind, str] | None:
    if step.out_of_memory:
        return "out-of-memory", "the program exceeded the step's memory limit"
    if info is not None:
        if info.preempted:
            return STATES["PREEMPTED"]
        found = STATES.get(info.state) or REASONS.get(info.reason)
        if found:
            kind, sentence = found
            limit = f" of {info.time_limit}" if info.time_limit else ""
            nodes = f" ({info.nodes})" if info.nodes else ""
            return kind, sentence.format(limit=limit, nodes=nodes)
        if info.state == "COMPLETING":
            # The state behind it is hidden until the nodes are done; a time limit would have shown as the reason.
            return "cancelled", "the job was cancelled, or ended by Slurm for a reason that it does not tell"
    if step.node_failure and step.started:
        return "node-failure", "a node of the job failed"
    return None


def _unstarted(status: int) -> str:
    if status == 0:
        return "the job ended before the container had started"
    if os.WIFSIGNALED(status):
        return f"the step's launcher was ended by {name(os.WTERMSIG(status))} before the step had started"
    return f"the step did not start; its launcher exited with {os.waitstatus_to_exitcode(status)}"


def _lost(step: StepNews, status: int) -> str:
    if step.abandoned:
        return "Slurm ended the step and its launcher did not wait for the program's exit status"
    if os.WIFSIGNALED(status):
        return f"the step's launcher was ended by {name(os.WTERMSIG(status))}"
    return "the program's exit status was lost"
