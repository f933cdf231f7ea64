"""The container's state: everything that the journal says, and nothing else."""

from typing import Literal

from proto.value import Value

from .creation import Creation
from .ending import Ending

JobPhase = Literal["none", "requested", "queued", "granted", "over"]
StagePhase = Literal["none", "begun", "ready", "failed", "out"]
"""``begun`` from the grant of the job on: whatever becomes of the job, something may be staged."""
StepPhase = Literal["none", "launching", "running", "ended"]


class PendingSignal(Value):
    """A signal on its way; ``request`` is the id of the message that asked for it."""

    number: int
    signal: int
    request: str


class Container(Value):
    """Everything that the journal says, and nothing else."""

    creation: Creation | None = None
    job: JobPhase = "none"
    job_id: int = 0
    nodes: str = ""
    foreign: bool = False
    queue_reason: str = ""
    create_wait_over: bool = False
    stage: StagePhase = "none"
    progress: str = ""
    bundle: str = ""
    rootfs: str = ""
    argv: tuple[bytes, ...] = ()
    notice: str = ""
    programs: str = ""
    answered: bool = False
    started_by: str = ""
    promised: bool = False
    step: StepPhase = "none"
    ran: bool = False
    paused: bool = False
    step_id: str = ""
    signals: tuple[PendingSignal, ...] = ()
    signal_count: int = 0
    outcomes: tuple[tuple[str, str], ...] = ()
    ending: Ending | None = None
    killed: bool = False
    logout: bool = False
    forced: bool = False
    given_up: bool = False
    drained: bool = False
    finished: bool = False

    @property
    def status(self) -> str:
        """The OCI status: ``creating``, ``created``, ``running`` or ``stopped`` (runtime.md, State).

        And ``paused``, as runc and crun have it: Slurm's node has stopped all processes of the step. A container whose
        ``start`` has returned before its program ran (``promised``) is ``running``, too: engines know no other word.
        """
        if self.finished:
            return "stopped"
        if self.step == "running" and self.paused:
            return "paused"
        if self.step in {"running", "ended"} or self.promised:
            return "running"
        return "created" if self.answered else "creating"

    @property
    def ours(self) -> bool:
        """Whether there is, or may be, a job that scrun has to give back."""
        return not self.foreign and self.job in {"requested", "queued", "granted"}
