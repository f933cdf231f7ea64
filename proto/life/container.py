"""The container's state: everything that the journal says, and nothing else."""

from typing import Literal

from proto.value import Value

from . import events as e
from .creation import Creation

JobPhase = Literal["none", "requested", "queued", "granted", "over"]
StagePhase = Literal["none", "begun", "ready", "failed", "out"]
"""``begun`` from the grant of the job on: whatever becomes of the job, something may be staged."""
StepPhase = Literal["none", "launching", "running", "ended"]


class Ending(Value):
    """Why and how the container ends.

    Attributes:
        kind: see ``events.EndKind``.
        exit_code: what the engine sees, 0 to 255, unless ``signal`` is set.
        signal: the signal that killed the program, or 0.
        sentence: for ``state``, the log and the tap; empty if the program just ended.
        code: error code for a caller who waits for something that will not happen.

    """

    kind: e.EndKind
    exit_code: int
    signal: int = 0
    sentence: str = ""
    code: str = "launch"


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
    impatient: bool = False
    stage: StagePhase = "none"
    bundle: str = ""
    rootfs: str = ""
    argv: tuple[bytes, ...] = ()
    notice: str = ""
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
    hard: bool = False
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
