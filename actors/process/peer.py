"""The shell of every actor but state: what its logic wants is carried out, and what the hub brings is handed to it.

The logic is pure (``handle(event) -> effects``).
"""

import contextlib
import os
import threading
from abc import abstractmethod
from collections.abc import Iterable
from typing import Protocol

import zmq

from proto.errors import ProtocolError
from proto.host.paths import fd_path
from proto.life import requests, talk
from proto.value import Value, replace
from proto.wire.envelope import FRAME_LIMIT, Envelope, new_id, unpack
from proto.wire.registry import Message

from .effects import Effect, Later, Log, Never, Report, Tell, Tick, ToAnchor, Work, Worked, Write
from .shell import ProcessActor

REPEATS = (0.5, 1.0, 2.0)
"""Seconds until a report that was not acknowledged is sent again, and again; the last value holds for all later."""
LAST_WORDS = 300
"""Milliseconds that a socket may linger to send what is queued: 0 loses the last message, -1 hangs."""


class Received(Value):
    """A message of the hub, with its envelope."""

    envelope: Envelope


class Logic(Protocol):
    """What an actor decides. Events are messages of the anchor, ``Received``, ``Tick`` and ``Worked``."""

    @abstractmethod
    def start(self) -> Iterable[Effect]:
        """What to do first."""

    @abstractmethod
    def handle(self, event: object) -> Iterable[Effect]:
        """What to do about an event."""

    @abstractmethod
    def rest(self) -> talk.Rest | None:
        """What would bring it back if it went now, when nothing has happened for a while; None: it has to stay."""


class PeerActor(ProcessActor):
    """The shell of every actor but state: one DEALER to the hub."""

    def __init__(self, begin: talk.Begin, channel: int, logic: Logic) -> None:
        super().__init__(begin, channel)
        self.logic = logic
        self._unheard: dict[str, Envelope] = {}
        self._repeats = 0

    def connect(self) -> None:
        """Connect to the hub, and do what the logic wants first."""
        self.hub = dealer(self.context, self.begin.descriptors["hub-file"])
        self._wait_for_hub(writable=False)
        self.carry_out(self.logic.start())

    def on_event(self, event: object) -> None:
        """Repeat what was not heard, and acknowledge what was; everything else is the logic's."""
        match event:
            case Tick("repeat"):
                self._repeat()
            case Received(envelope) if isinstance(envelope.message, requests.Heard):
                self._unheard.pop(envelope.cause or "", None)
            case Received(envelope):
                self.carry_out(self.logic.handle(event))
                self._send(Envelope("state", self.begin.actor, requests.Heard(), new_id(), envelope.id))
            case _:
                if isinstance(event, talk.Exited):
                    self._note_end(event)
                self.carry_out(self.logic.handle(event))

    def on_quiet(self) -> None:
        """Offer to go; the anchor knows whether it may."""
        rest = self.logic.rest()
        if rest is not None and not self._unheard:
            self.channel.send(replace(rest, heard=self.channel.received))

    def carry_out(self, effects: Iterable[Effect]) -> None:
        """Carry effects out, in their order."""
        for effect in effects:
            match effect:
                case Report(event, cause):
                    self._report(event, cause)
                case Tell(envelope):
                    self._send(envelope)
                case ToAnchor(message):
                    self.channel.send(message)
                case Write(name, data):
                    # The reader of the pipe is gone: salloc has ended, and the anchor tells of that.
                    with contextlib.suppress(OSError, KeyError):
                        os.write(self.begin.descriptors[name], data)
                case Later(name, seconds):
                    self.inbox.later(name, seconds)
                case Never(name):
                    self.inbox.never(name)
                case Log(level, text):
                    self.log.write(level, text)
                case Work():
                    self._work(effect)

    def on_stop(self) -> None:
        """Let what is queued go out."""
        self.hub.close(linger=LAST_WORDS)
        self.context.term()

    def _note_end(self, command: talk.Exited) -> None:
        """Tell the tap that one of the actor's commands has ended."""
        ended = requests.Note("command-ended", {"name": command.name, "status": str(command.status)})
        self._send(Envelope("state", self.begin.actor, ended))

    def _report(self, event: Message, cause: str | None) -> None:
        envelope = Envelope("state", self.begin.actor, event, new_id(), cause)
        if not self._unheard:
            self._repeats = 0
            self.inbox.later("repeat", REPEATS[0])
        self._unheard[envelope.id] = envelope
        self._send(envelope)

    def _repeat(self) -> None:
        """Send again what was not heard, and be silent if all was."""
        for envelope in self._unheard.values():
            self._send(envelope)
        if self._unheard:
            self._repeats += 1
            self.inbox.later("repeat", REPEATS[min(self._repeats, len(REPEATS) - 1)])

    def _send(self, envelope: Envelope) -> None:
        envelope = replace(envelope, incarnation=self.begin.incarnation)
        try:
            self.hub.send(envelope.pack(), zmq.DONTWAIT)
        except zmq.Again:
            self._wait_for_hub(writable=True)

    def _wait_for_hub(self, *, writable: bool) -> None:
        """Watch the socket, also for the moment when it takes messages (again)."""
        self._blocked = writable
        self.inbox.watch(self.hub, self._from_hub, zmq.POLLIN | (zmq.POLLOUT if writable else 0))

    def _from_hub(self) -> Iterable[object]:
        received: list[object] = []
        if self._blocked and self.hub.poll(0, zmq.POLLOUT):
            self._wait_for_hub(writable=False)
            received.append(Tick("repeat"))
        while True:
            try:
                frame = self.hub.recv(zmq.DONTWAIT)
            except zmq.Again:
                return received
            try:
                received.append(Received(unpack(frame)))
            except ProtocolError as error:
                self.log.write("error", f"a frame from the hub was dropped: {error}")

    def _work(self, work: Work) -> None:
        def run() -> None:
            try:
                done = Worked(work.name, work.function(self.actor_ref.tell), None)
            except BaseException as error:
                done = Worked(work.name, None, error)
            self.actor_ref.tell(done)

        threading.Thread(target=run, name=work.name, daemon=True).start()


def dealer(context: "zmq.Context[zmq.Socket[bytes]]", hub: int) -> "zmq.Socket[bytes]":
    """A DEALER that is connected to the container's hub, and finds it again when it was replaced.

    The hub's file is known by a descriptor: the way there outlives the directory that the file was in.

    It has no identity, which others could take: the hub knows the process. Each connection, the later ones too,
    begins with an empty frame, by which the hub learns the way to it (for that a connection that is lost must
    take its queue along: ``IMMEDIATE``).
    """
    sock = context.socket(zmq.DEALER)
    sock.setsockopt(zmq.LINGER, LAST_WORDS)
    sock.setsockopt(zmq.RECONNECT_IVL, 5)
    sock.setsockopt(zmq.MAXMSGSIZE, FRAME_LIMIT)
    sock.setsockopt(zmq.PROBE_ROUTER, 1)
    sock.setsockopt(zmq.IMMEDIATE, 1)
    sock.connect(f"ipc://{fd_path(hub)}")
    return sock
