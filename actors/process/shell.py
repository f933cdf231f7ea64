"""An actor as a process: one pykka actor, one thread, a channel to the anchor and a lease that it renews."""

import os
import socket
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any

import pykka
import zmq

from proto.exit_codes import INTERNAL
from proto.host.paths import ContainerPaths
from proto.life import talk

from . import stacks
from .channel import Channel
from .effects import Tick
from .inbox import Inbox
from .logbook import Logbook, level_number
from .supervision import lease


class ProcessActor(pykka.ThreadingActor):
    """A pykka actor that is a whole process: its loop runs in the main thread."""

    def __init__(self, begin: talk.Begin, channel: int) -> None:
        super().__init__()
        self.begin = begin
        self.paths = ContainerPaths(begin.creation.root, begin.creation.id)
        self.log = Logbook(begin.creation, begin.actor)
        stacks.offer(self.log.fileno())
        self.channel = Channel(socket.socket(fileno=channel), patient=True)
        self._quiet = 0
        self._lease = lease(0)
        self.context = zmq.Context(io_threads=1)

    @staticmethod
    def _create_actor_inbox() -> Any:
        return Inbox()

    def _start_actor_loop(self) -> None:
        self._actor_loop()

    @property
    def inbox(self) -> Inbox:
        """The inbox, with its own type."""
        inbox: Inbox = self.actor_inbox  # type: ignore[assignment]
        return inbox

    def on_start(self) -> None:
        """Connect, keep the lease."""
        self.inbox.watch(self.channel.fileno(), self._from_anchor)
        try:
            self.connect()
        except Exception as error:
            # pykka would tell its own logger, and the process would end as if all were well.
            self.on_failure(type(error), error, error.__traceback__)
        self.channel.send(talk.Ready())
        self.inbox.later("lease", lease(0) / 3)

    def on_receive(self, message: Any) -> None:
        """Handle one event; whatever is raised ends the process (``on_failure``)."""
        if isinstance(message, Tick) and message.name == "lease":
            self._renew()
        elif isinstance(message, talk.SetLevel):
            Logbook.level = level_number(message.level)
        elif isinstance(message, talk.Stop):
            self.stop()
        else:
            self._wake()
            self.on_event(message)

    def _renew(self) -> None:
        """Renew the lease: for the longer, the longer nothing has happened."""
        self._lease = lease(self._quiet)
        self.channel.send(talk.Lease(self._lease, mailbox=self.inbox.waiting()))
        self.inbox.later("lease", self._lease / 3)
        if self._quiet:
            self.on_quiet()
        self._quiet += 1

    def _wake(self) -> None:
        """Something happens: if it cannot be handled, nobody shall wait for the end of a long lease."""
        self._quiet = 0
        if self._lease != lease(0):
            self._renew()

    def on_quiet(self) -> None:
        """Nothing has happened between two renewals."""

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        """Half-changed state never survives: the process ends, and a new one begins with the journal."""
        del exception_type, traceback
        import traceback as tb

        self.log.write("fatal", "".join(tb.format_exception(exception_value)))
        os._exit(INTERNAL)

    @abstractmethod
    def connect(self) -> None:
        """Open the sockets."""

    @abstractmethod
    def on_event(self, event: object) -> None:
        """Handle one event."""

    def _from_anchor(self) -> Iterable[object]:
        messages = self.channel.receive()
        if messages is None:
            # The anchor is dead, and with it the container; the guard clears up.
            os._exit(0)
        return messages


def run(actor: type[ProcessActor], *arguments: object) -> int:
    """Run a process actor to its end; return the exit status of the process."""
    actor.start(*arguments)
    return 0
