"""The requests that have not been answered yet: who asked, and until when they are patient."""

from actors.process.inbox import Inbox
from proto.errors import ScrunError
from proto.life import requests
from proto.life.container import Container
from proto.wire.registry import Message

from . import callers
from .callers import Request
from .hub import Arrival, Hub


class Requests:
    """What ``callers`` decides, carried out: it is pure, and this has the callers at the hub's other end."""

    def __init__(self, hub: Hub, inbox: Inbox) -> None:
        self._hub = hub
        self._inbox = inbox
        self._open: dict[str, tuple[Arrival, Request]] = {}

    def __contains__(self, request_id: str) -> bool:
        """Whether a caller still waits for the answer."""
        return request_id in self._open

    def admit(self, container: Container, arrival: Arrival, request: Request) -> Message | None:
        """Take a request in, or refuse it; return what has to happen for it, if anything."""
        try:
            admission = callers.admit(container, request, arrival.envelope.id)
        except ScrunError as error:
            self.refuse(arrival, error)
            return None
        self._open[arrival.envelope.id] = (arrival, request)
        return admission.event

    def wait(self, request_id: str) -> None:
        """Start the clock of a request that is still open and does not wait for ever."""
        if request_id in self._open:
            patience = callers.patience(self._open[request_id][1])
            if patience is not None:
                self._inbox.later(request_id, patience)

    def answer(self, container: Container) -> None:
        """Tell all those whose request the container's state answers."""
        for id_, (arrival, request) in list(self._open.items()):
            outcome = callers.answer(container, request, id_)
            if isinstance(outcome, ScrunError):
                self.refuse(arrival, outcome)
            elif outcome:
                self._close(arrival, requests.Done())

    def time_out(self, request_id: str) -> None:
        """It has been written down and is on its way: that must do."""
        self._close(self._open[request_id][0], requests.Done())

    def refuse(self, arrival: Arrival, error: ScrunError) -> None:
        """Say why it is not carried out."""
        self._close(arrival, requests.Failed(error.code, error.sentence))

    def _close(self, arrival: Arrival, reply: Message) -> None:
        self._open.pop(arrival.envelope.id, None)
        self._inbox.never(arrival.envelope.id)
        self._hub.reply(arrival, reply)
