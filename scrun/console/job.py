"""``job``: the job as Slurm sees it."""

from collections.abc import Iterator

from proto.errors import NotFoundError, SchedulerUnavailableError, UnsupportedError, WrongStateError
from scrun.cli.root import is_own

from .command import Command, Question, Row


def rows(question: Question) -> Iterator[Row]:
    """One for each field.

    Raises:
        NotFoundError: there is no container.
        WrongStateError: there is no job.
        UnsupportedError: there is no Slurm, or its commands are another user's choice.
        SchedulerUnavailableError: it does not answer, or has forgotten the job.

    """
    from actors.guard.clean_up import run
    from actors.slurm import scheduler_for
    from proto.life import journal, lifecycle

    container = lifecycle.replay(journal.read(question.paths.journal))
    if container.creation is None:
        raise NotFoundError(f"container {question.id} does not exist")
    if not is_own(question.root):
        asked = f"ask Slurm: scontrol show job {container.job_id}" if container.job_id else "and there is no job yet"
        raise UnsupportedError(f"the commands that would tell are its owner's choice, and run by nobody else; {asked}")
    query = scheduler_for(container.creation).describe(container.job_id)
    if query is None:
        raise UnsupportedError("the scheduler is local: there is no job that Slurm could tell about")
    if not container.job_id:
        raise WrongStateError(f"container {question.id} has no job yet")
    status, text = run(query.command)
    found = query.read(text) if status == 0 else None
    if found is None:
        said = text.strip() or "it has forgotten it"
        raise SchedulerUnavailableError(f"Slurm does not tell of job {container.job_id}: {said}")
    yield from found.items()


COMMAND = Command(
    "job",
    "its job as Slurm sees it: state, reason, nodes, priority, estimated start, limits",
    ("field", "value"),
    rows,
    "squeue's words; `start` of a job that is queued is Slurm's estimate, if it has one",
)
