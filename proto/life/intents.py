"""Intents: what the state actor wants of another actor, until the fact that it asks for has arrived.

An intent is repeated when it was not acknowledged, or when its actor is new, and may therefore be heard twice.
"""

from proto.wire.registry import Message, message


@message("request-job")
class RequestJob(Message):
    """To allocation: see to it that there is a job; report queued, granted or ended.

    Attributes:
        retry: whether to ask again if Slurm does not answer.

    """

    retry: bool = True


@message("watch-job")
class WatchJob(Message):
    """To allocation: no step runs, so look now and then whether the job is still there."""

    job_id: int


@message("launch-step")
class LaunchStep(Message):
    """To allocation: start srun; report started and ended.

    Attributes:
        retry: whether to start it again if the controller has not heard it.
        programs: directory of what the node runs before and after the container, or nothing.
        runs: whether the program runs, so that only the end is waited for.

    """

    job_id: int
    bundle: str
    argv: tuple[bytes, ...]
    retry: bool = True
    programs: str = ""
    runs: bool = False


@message("release-job")
class ReleaseJob(Message):
    """To allocation: give the job back (queued or granted); report released.

    Attributes:
        job_id: 0 for the one that carries the container's cookie.
        status: exit status that the job's record shall have.

    """

    job_id: int
    status: int


@message("stage-in")
class StageIn(Message):
    """To staging: bring the bundle to the nodes."""

    job_id: int
    nodes: str


@message("stage-out")
class StageOut(Message):
    """To staging: bring changes back and clear up."""

    job_id: int
    nodes: str
    bundle: str
    rootfs: str
    complete: bool


@message("relay-signal")
class RelaySignal(Message):
    """To signals: give the step this signal, once; report delivered or failed.

    Attributes:
        single_node: whether the step has one node, so that no process has got a signal that the node refused.

    """

    number: int
    signal: int
    step_id: str
    single_node: bool = False


@message("end-step")
class EndStep(Message):
    """To signals: end the step, with SIGTERM or (``forced``) with SIGKILL."""

    step_id: str
    forced: bool


@message("drain")
class Drain(Message):
    """To stdio: the step is over; report when its output has gone through.

    ``epitaph``: a line to add to the container's standard error, about an end that was not the program's own.
    """

    epitaph: str = ""
