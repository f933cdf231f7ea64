"""What a scheduler is to the rest of scrun: builders of commands and readers of what they say.

No method starts a process, opens a socket or waits. The anchor runs the commands; their output goes into files,
and the readers can be asked again and again with all that has been said so far.
"""

from collections.abc import Callable, Mapping
from typing import Generic, Literal, Protocol, TypeVar

from actors.process.command import Command
from proto.life.creation import Creation
from proto.life.ending import Ending
from proto.value import Value

from .existing import Parts
from .lost_nodes import Loss
from .step_news import StepNews
from .usage import Usage

T = TypeVar("T")

JobKind = Literal["none", "queued", "granted", "revoked", "refused"]


class JobNews(Value):
    """What the request for a job has come to.

    Attributes:
        kind: ``none``: nothing is known yet; ``revoked``: the job was granted and has ended since.
        job_id: 0 while Slurm has not named one.
        nodes: always empty with Slurm's commands, which do not say; ``inquire`` does.
        reason: one sentence when refused.
        transient: whether the same request may succeed later.
        away: whether the controller has not heard it, so that it may be made again at once.

    """

    kind: JobKind
    job_id: int = 0
    nodes: str = ""
    reason: str = ""
    transient: bool = False
    away: bool = False


class JobInfo(Value):
    """The job as the scheduler knows it; see squeue(1) for the words."""

    state: str
    reason: str = ""
    nodes: str = ""
    time_limit: str = ""
    preempted: bool = False

    @property
    def active(self) -> bool:
        """Whether steps can run in it now or later."""
        return self.state in {"PENDING", "CONFIGURING", "RUNNING", "SUSPENDED", "RESIZING", "REQUEUED", "STOPPED"}


class Outlook(Value):
    """What Slurm says of a job that has not begun.

    Attributes:
        state: ``PENDING`` or ``CONFIGURING``.
        reason: why it waits, in Slurm's word, or empty.
        ahead: how many jobs of higher priority wait for nodes of its partition, as far as the user may see them.
        start: when Slurm expects it to start, ``2026-01-31T12:00:00``, or empty.

    """

    state: str
    reason: str = ""
    ahead: int = 0
    start: str = ""


class Query(Value, Generic[T]):
    """A question to the scheduler.

    Attributes:
        command: asks it.
        read: makes the answer of all that the command has said, if that ended with 0.

    """

    command: Command
    read: Callable[[str], T]


class Scheduler(Protocol):
    """One per container. See ``slurm.Slurm``, ``pyslurm.PySlurm`` and ``local.Local``."""

    def request(self, creation: Creation) -> Command | None:
        """Ask for the job; ``None``: there is one already, or none is needed."""

    def read_request(self, text: str, status: int | None) -> JobNews:
        """Read all that the request has said; ``status`` is its wait status, ``None`` while it runs."""

    def step(
        self,
        creation: Creation,
        job_id: int,
        bundle: str,
        argv: tuple[bytes, ...],
        *,
        terminal: bool,
        prolog: str = "",
        gpus: str = "",
    ) -> Command:
        """Launch the container, and before it on its node, as the user, the program ``prolog``.

        It gets the GPUs that its job has asked for, or another number of those that the job has got: ``gpus``.
        """

    def read_step(self, text: str) -> StepNews:
        """Read all that the launcher itself has said."""

    def signal(self, step_id: str, signum: int) -> Command:
        """Give the step's program a signal."""

    def cancel(self, job_id: int) -> Command | None:
        """Give the job back; ``None``: there is nothing to give back."""

    def change(self, job_id: int, changes: Mapping[str, str]) -> Command | None:
        """Change what the options of these names said of the job; ``None``: there is nothing that could be changed."""

    def inquire(self, job_id: int) -> Query[JobInfo | None] | None:
        """Ask about the job, which may be gone; ``None``: there is no controller to ask."""

    def existing(self, job_id: int) -> Query[Parts] | None:
        """Ask about an allocation that the user has named; ``None``: see ``inquire``."""

    def describe(self, job_id: int) -> Query[dict[str, str] | None] | None:
        """Ask for all that a person may want to know of the job, which may be gone; ``None``: see ``inquire``."""

    def outlook(self, job_id: int) -> Query[Outlook | None] | None:
        """Ask what lies before a job that has not begun; ``None``: there is no queue."""

    def canceller(self, job_id: int) -> Query[int | None] | None:
        """Ask whose command cancelled a job that is over, by the user's id; ``None``: nobody keeps books."""

    def find(self, cookie: str) -> Query[list[int]] | None:
        """Look for jobs that carry the cookie; ``None``: nothing could be lost."""

    def measure(self, step_id: str) -> Query[Usage | None] | None:
        """Ask what a step uses, which may be gone; ``None``: this scheduler cannot tell."""

    def loss(self, job_id: int, step: StepNews) -> Query[Loss | None] | None:
        """Ask whether the step has lost one of its nodes; ``None``: this scheduler cannot tell."""

    def kill_program(self, step_id: str) -> Command:
        """SIGKILL for the container's program and for nobody else, by its runtime where that is possible."""

    def remote_command(self, job_id: int, command: bytes) -> Command:
        """Run a shell command line on each node of the job, outside any container."""

    def explain(self, info: JobInfo | None, step: StepNews, status: int) -> Ending:
        """Say how the step ended; ``status`` is the launcher's wait status."""
