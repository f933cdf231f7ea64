"""What has happened to a container: facts in the past tense, journaled in this order and never changed.

An actor reports a fact to the state actor, which appends it to the journal before anything follows from it.
Facts may be reported twice (a report is repeated until acknowledged): the life cycle ignores what it knows.
"""

from proto.value import Value
from proto.wire.registry import Message, message

from . import progress
from .creation import Creation
from .ending import Ending


@message("created-by")
class CreateBegun(Message):
    """``create`` has checked everything that it can check; the anchor takes over."""

    creation: Creation


@message("job-requested")
class JobRequested(Message):
    """The request is about to go to Slurm; the cookie in its comment finds the job again."""

    cookie: str


@message("job-queued")
class JobQueued(Message):
    """Slurm knows the job and lets it wait."""

    job_id: int
    reason: str = ""


@message("job-granted")
class JobGranted(Message):
    """The nodes are ours. ``foreign``: in an allocation that scrun did not make."""

    job_id: int
    nodes: str = ""
    foreign: bool = False


@message("create-wait-over")
class CreateWaitOver(Message):
    """The job still waits, or is still staged in, and ``create`` shall return now: podman gives it 240 s."""


@message("job-ended")
class JobEnded(Message):
    """The job was refused, or ended before a step of ours ran in it."""

    ending: Ending


@message("staging-progress")
class StagingProgress(Message):
    """How far the copy of an image has come; seldom, and not at all if it is quick.

    Attributes:
        part, parts: which of how many trees it is: an engine's layers are trees.
        files, size: what is copied of it, in files and bytes.
        total: its bytes; 0 if they are not known.

    """

    part: int
    parts: int
    files: int
    size: int
    total: int = 0

    @property
    def sentence(self) -> str:
        """For people."""
        return progress.sentence(self.part, self.parts, self.files, self.size, self.total)


class Trees(Value):
    """The trees of an image that a root file system was made of, if it was made of any.

    Attributes:
        found: how many were in the cache, or in the site's store.
        imported: how many were not.
        size: bytes of these.

    """

    found: int = 0
    imported: int = 0
    size: int = 0


@message("staged-in")
class StagedIn(Message):
    """The bundle is where the nodes see it.

    Attributes:
        notice: what of the image could not be kept there, or nothing.
        programs: directory of what the node runs before and after the container, or nothing.
        trees: how the image got there.

    """

    bundle: str
    rootfs: str
    argv: tuple[bytes, ...]
    notice: str = ""
    programs: str = ""
    trees: Trees = Trees()


@message("staging-failed")
class StagingFailed(Message):
    """Stage-in failed; what it left behind is cleared by stage-out."""

    sentence: str


@message("create-answered")
class CreateAnswered(Message):
    """``create`` is about to return 0."""


@message("start-requested")
class StartRequested(Message):
    """``start`` was called; its id tells a repetition from a second call."""

    request: str


@message("start-wait-over")
class StartWaitOver(Message):
    """The job still waits, or is still staged in, and ``start`` shall return now: the engine takes it for running."""


@message("launch-requested")
class LaunchRequested(Message):
    """srun is about to be started."""


@message("step-started")
class StepStarted(Message):
    """The nodes report that the step's tasks run."""

    step_id: str
    nodes: str = ""


@message("step-ended")
class StepEnded(Message):
    """srun is gone; this is how the program, or the job, ended."""

    ending: Ending


@message("signal-requested")
class SignalRequested(Message):
    """A caller, or a signal to the anchor, asks to signal the container.

    Attributes:
        request: id of the caller's message.
        logout: whether it is systemd's, which ends all processes of the user with the last session.

    """

    number: int
    signal: int
    request: str
    logout: bool = False


@message("signal-delivered")
class SignalDelivered(Message):
    """Slurm has taken the signal over."""

    number: int


@message("signal-failed")
class SignalFailed(Message):
    """Slurm did not take the signal."""

    number: int
    sentence: str


@message("cancel-requested")
class CancelRequested(Message):
    """The container shall end. ``forced``: with SIGKILL and without waiting."""

    by: str
    exit_code: int
    forced: bool = False


@message("given-up")
class GivenUp(Message):
    """SIGKILL was sent and Slurm does not report the end in time: the guard goes on alone."""


@message("output-drained")
class OutputDrained(Message):
    """Every byte of output is in the engine's hands; the counts are bytes."""

    stdin: int
    stdout: int
    stderr: int


@message("staged-out")
class StagedOut(Message):
    """Stage-out is over; ``failure`` is empty or says what went wrong."""

    failure: str = ""


@message("job-released")
class JobReleased(Message):
    """Slurm has the nodes back."""


@message("intervened")
class Intervened(Message):
    """Somebody at the console has done something to a process of the container's, which changes nothing of its life.

    Attributes:
        action, actor: what, and to which; no actor: to the supervision of all.
        level: of its log, if that was changed.
        uid, pid: who it was, by the kernel's word.
        request: id of the message.

    """

    action: str
    actor: str
    uid: int
    pid: int
    request: str
    level: str = ""


@message("finished")
class Finished(Message):
    """Nothing is left but to exit."""
