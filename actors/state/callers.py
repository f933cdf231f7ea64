"""Requests of the command line: what each asks of the container, and when it can be answered.

Pure: given the container's state, a request is answered, refused, or turned into an event and kept until the
state answers it. The words of the refusals are matched by engines and by runc's tests.
"""

from proto.errors import InternalError, LaunchError, ScrunError, WrongStateError, from_wire
from proto.exit_codes import KILL, KILLED, WINCH
from proto.life import events as e
from proto.life import requests
from proto.life.container import Container
from proto.value import Value
from proto.wire.registry import Message

Request = requests.Start | requests.Kill | requests.Delete

KILL_WAIT = 0.5
"""After ``kill KILL`` the container ends within ``kill_wait`` whatever Slurm says, so no caller need wait for Slurm."""
SIGNAL_WAIT = 1.5
"""Any other signal is in the journal and on its way. scancel takes 10 s to find out that a node or the controller does
not answer, and an engine's "stop" counts its time to KILL from our answer."""


class Admission(Value):
    """What to do about a new request: append ``event`` if there is one, then ask ``answer``."""

    event: Message | None = None


def admit(container: Container, request: Request, request_id: str) -> Admission:
    """Take a request in.

    Raises:
        WrongStateError: it cannot be carried out in this state.
        LaunchError: the container is ending.

    """
    match request:
        case requests.Start():
            return _admit_start(container, request_id)
        case requests.Kill():
            return _admit_kill(container, request, request_id)
        case requests.Delete():
            return _admit_delete(container, request)


def answer(container: Container, request: Request, request_id: str) -> ScrunError | bool:
    """Whether an admitted request has been carried out: True, an error, or False for not yet."""
    match request:
        case requests.Start():
            if container.ran or container.promised:  # whatever came then
                return True
            return _failure(container) if container.finished else False
        case requests.Kill():
            for known, sentence in container.outcomes:
                if known == request_id:
                    # Slurm takes no KILL for a job that it is ending; the container ends within ``kill_wait`` even so.
                    return from_wire("scheduler", sentence) if sentence and request.signal != KILL else True
            # One that is not under way has been merged with another one.
            under_way = any(signal.request == request_id for signal in container.signals)
            return container.finished or container.ending is not None or not under_way
        case requests.Delete():
            return container.finished


def patience(request: Message) -> float | None:
    """Seconds after which a request is answered though Slurm has said nothing yet; None: it waits."""
    if not isinstance(request, requests.Kill):
        return None
    return KILL_WAIT if request.signal == KILL else SIGNAL_WAIT


def _admit_start(container: Container, request_id: str) -> Admission:
    if container.started_by == request_id:
        return Admission()
    if container.finished or container.ending is not None:
        if not container.started_by and container.ending is not None and container.ending.sentence:
            raise _failure(container)
        msg = "cannot start a container that has stopped"
        raise WrongStateError(msg)
    if container.started_by:
        msg = "cannot start an already running container"
        raise WrongStateError(msg)
    if not container.answered:
        msg = "cannot start a container that is still being created"
        raise WrongStateError(msg)
    return Admission(e.StartRequested(request_id))


def _admit_kill(container: Container, request: requests.Kill, request_id: str) -> Admission:
    if container.finished:
        msg = "container not running"
        raise WrongStateError(msg)
    if container.ending is not None:
        if request.signal == KILL and not container.forced:
            return Admission(e.CancelRequested("kill", KILLED, forced=True))
        return Admission()
    if request.signal == WINCH and any(waiting.signal == WINCH for waiting in container.signals[1:]):
        # As in a kernel. podman sends one for each step in which a user's window grows.
        return Admission()
    event = e.SignalRequested(container.signal_count + 1, request.signal, request_id)
    return Admission(event)


def _admit_delete(container: Container, request: requests.Delete) -> Admission:
    if container.finished or (container.ending is not None and container.forced):
        return Admission()
    if not request.force and container.status in {"running", "paused"}:
        assert container.creation is not None  # noqa: S101 - it runs
        msg = f"cannot delete container {container.creation.id} that is not stopped: {container.status}"
        raise WrongStateError(msg)
    return Admission(e.CancelRequested("delete", KILLED, forced=True))


def _failure(container: Container) -> ScrunError:
    ending = container.ending
    if ending is None:
        return InternalError("the container has ended for no known reason")
    if ending.sentence:
        return from_wire(ending.code, ending.sentence)
    return LaunchError("the container ended before it was started")
