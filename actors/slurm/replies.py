"""What the answers of scancel mean, and when a question is worth its round trip."""

from proto.exit_codes import KILL, TERM, signal_in

from .messages import NODE_REFUSED, judge
from .step_news import StepNews

_NO_JOB = ("invalid job id", "already completing or completed", "job/step already")
"""What Slurm says of a job that is over: as good as released."""
_LATER = ("job step not running", "requested operation is presently disabled", "requested nodes are busy")
"""What scancel and srun say of a job that is suspended or being resumed; srun of one without room for a step, too."""
_NO_DAEMON = "invalid job id"
"""What a node says of a step without slurmstepd: it has just ended, or its program lives on in nobody's care."""


def released(status: int, said: str) -> bool:
    """Whether a cancelled job is, or was, over; ``status`` is scancel's wait status or exit code."""
    return status == 0 or any(text in said.lower() for text in _NO_JOB)


def given_back(said: str) -> bool:
    """Whether a salloc that has ended gave its job back. If the controller is away it says that it could not, and ends.

    The same words in 22.05 to 24.11; without them scrun does not know, and scancel is harmless.
    """
    low = said.lower()
    return "relinquishing job allocation" in low and "unable to clean up job allocation" not in low


def over_memory(said: str) -> bool:
    """Whether Slurm has told salloc that it ends the job's steps for memory (slurm.conf(5): ``OverMemoryKill``).

    srun, whose step it was, is told nothing of it.
    """
    return "exceeded job memory limit" in said.lower()


def signal_failure(said: str) -> str:
    """One sentence about a signal that Slurm did not take."""
    if released(1, said):
        return "container not running"
    verdict = judge(said.splitlines())
    return f"the signal was not delivered: {verdict.sentence if verdict else 'scancel failed without a word'}"


def not_taken_yet(said: str, *, single_node: bool) -> bool:
    """Whether no process has got a signal that Slurm did not take, so that it may be sent again.

    The controller is away, or the step's only node is (``single_node``; of several some may have it), or the step's job
    is suspended or being resumed. A step that has just ended gets some of these answers, too: then there is soon
    nothing more to signal.
    """
    verdict = judge(said.splitlines())
    low = said.lower()
    by_node = single_node and (_NO_DAEMON in low or (verdict is not None and verdict.sentence == NODE_REFUSED))
    return by_node or (verdict is not None and verdict.away) or any(text in low for text in _LATER)


def needs_inquiry(news: StepNews) -> bool:
    """Whether the controller can know more about the end than the step's launcher has said.

    A program that ended by itself needs no explanation. One that was killed may have been killed by Slurm, for
    a reason that only the controller has: time limit, preemption, a scancel.
    """
    by_itself = news.wait_status is not None and news.wait_status & 0x7F == 0
    return not by_itself or news.abandoned or news.node_failure or _killed_inside(news)


def _killed_inside(news: StepNews) -> bool:
    # The node's OCI runtime reports a killed program as 128 + signal.
    return news.wait_status is not None and signal_in(news.wait_status >> 8) in {KILL, TERM}


def may_be_outside(news: StepNews) -> bool:
    """Whether the step may have run outside any container: slurmd reports an execve of ENOENT as exit status 2."""
    return news.wait_status == 2 << 8


def may_be_the_runtimes(news: StepNews) -> bool:
    """Whether a step that has ended soon may have ended before its program began: runtimes exit with 1 then."""
    return news.wait_status == 1 << 8
