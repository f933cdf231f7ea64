"""The state actor: runs the life cycle, keeps the journal, is the hub of all talk and feeds the tap.

Every event goes the same way: journal first, then ``state.json``, then whatever the new state wants, then the
callers whose requests it answers. A replacement reads the journal and goes on from there. An event that cannot be
written down has not happened yet: an actor repeats it, a caller is told, and what anchor or clocks say is kept here.
"""

import contextlib
import os

from actors.process.effects import Tick
from actors.process.shell import ProcessActor, run
from actors.process.supervision import TABLE
from proto.errors import StorageError
from proto.exit_codes import INTERNAL, KILLED, REFUSED
from proto.host.trees import remove_tree
from proto.life import events as e
from proto.life import lifecycle, requests, talk, wants
from proto.wire.registry import Message

from . import clocks, interruptions
from .asking import Asking
from .callers import Request
from .desk import Desk
from .hub import CLIENTS, Arrival, Hub, Reached, make_room
from .oom import leave_mark
from .recorder import Recorder
from .requests import Requests
from .snapshot import greeting, snapshot
from .tap import Tap

DISK = 1.0
"""Seconds after which something that could not be written is tried again."""
DIRECTORY = 1.0
"""Seconds between two looks whether the state directory is still there, as long as ``create`` waits."""


class StateActor(ProcessActor):
    """The actor that the hub, the journal and the tap belong to."""

    def __init__(self, begin: talk.Begin, channel: int) -> None:
        super().__init__(begin, channel)
        self.recorder = Recorder(begin, self.log)
        self.container = lifecycle.replay(self.recorder.records)
        self.children: dict[str, talk.ChildChanged] = {}
        self._abandoned = False
        self._answered = False
        self._cause: str | None = None
        self._unwritten: list[object] = []

    def connect(self) -> None:
        """Open hub and tap, and go on where the journal ends."""
        self.hub = Hub(self.context, self.begin.descriptors["hub"], self.paths.hub, self.begin.incarnation)
        self.requests = Requests(self.hub, self.inbox)
        begin = self.begin
        self.desk = Desk(self.hub, self.channel, self.recorder, begin.anchor)
        self.tap = Tap(
            self.context, begin.descriptors["tap"], self.paths.tap, begin.creation.id, begin.incarnation, self._greeting
        )
        self.asking = Asking(self.hub, self.tap, self.inbox, self.channel)
        self.inbox.watch(self.hub.socket, lambda: list(self.hub.arrivals()))
        self.inbox.watch(self.tap.socket, self.tap.subscriptions)
        if self.container.finished:
            self._keep_end()
            self._pursue()
            self._leave()
            return
        if not self.container.answered:
            self.inbox.later("directory", DIRECTORY)
        self._set_clocks()
        self._pursue()

    def on_event(self, event: object) -> None:
        """Handle what the hub, the anchor or the clock brings."""
        try:
            self._handle(event)
        except StorageError as error:
            if not isinstance(event, Arrival):
                self._unwritten.append(event)
                self.inbox.later("unwritten", DISK)
            elif isinstance(event.envelope.message, Request):
                self.requests.refuse(event, error)

    def _handle(self, event: object) -> None:
        match event:
            case Arrival():
                self._on_arrival(event)
            case Reached(actor):
                self._on_reached(actor)
            case Tick("wants" | "state-file"):
                self._pursue()
            case Tick("directory"):
                self._look_at_directory()
            case Tick("unwritten"):
                unwritten, self._unwritten = self._unwritten, []
                for earlier in unwritten:
                    self.on_event(earlier)
            case Tick(clock) if clock in clocks.STRIKES:
                fact = clocks.STRIKES[clock](self.container)
                if fact is not None:
                    self._happen(fact)
            case Tick(request) if request in self.requests:
                self.requests.time_out(request)
            case talk.ChildChanged():
                self._on_child(event)
            case talk.Interrupted(signal, number):
                if follows := interruptions.follows(self.container, self.recorder.records, event):
                    self._happen(follows, "anchor")
                self.channel.send(talk.Heeded(signal, number))
            case talk.Processes():
                self.desk.listed(event, self.container, self.children)
            case talk.Abandoned():
                self._abandoned = True
                self._happen(e.CancelRequested("the death of create", KILLED, forced=True))
                if self.container.finished:
                    self._remove_abandoned()
            case talk.Deserted():
                if not (self.container.ran or self.container.promised):
                    self._happen(e.CancelRequested("the end of the engine that waited for it", KILLED, forced=True))
            case _:
                self.log.write("error", f"unexpected: {type(event).__name__}")

    def on_stop(self) -> None:
        """Let the last replies go out."""
        self.hub.close()
        self.tap.close()
        self.context.term()

    # --- events -----------------------------------------------------------------------------------------------

    def _happen(self, event: Message, source: str = "state", cause: str | None = None) -> None:
        """Journal an event and let everything follow from it; old news changes nothing.

        Raises:
            StorageError: it could not be written, so it has not happened.

        """
        if lifecycle.knows(self.container, event):
            return
        try:
            after = lifecycle.apply(self.container, event)
        except lifecycle.IllegalEventError as error:
            self.log.write("error", f"{source} reported what cannot be: {error}")
            return
        self.recorder.note(event)
        self.container = after
        self._cause = cause
        if isinstance(event, e.StagedOut) and event.failure:
            self.log.write("error", event.failure)
        self.log.write("debug", f"{source}: {type(event).__name__}")
        self._publish(source, event)
        self._set_clocks()
        self._pursue()

    def _pursue(self) -> None:
        """Make what is wanted happen, and tell those who wait for it."""
        wanted = wants.wanted(self.container)
        for want in wanted:
            if want.actor == "state" and not isinstance(want.message, e.Finished):
                with contextlib.suppress(StorageError):
                    self._happen(want.message)
                    return
        shown = self._write_state()
        self.asking.ask(self.container, wanted, self.children, self._cause)
        self.requests.answer(self.container)
        if shown and self.container.answered and not self._answered:
            # The engine may ask for the state as soon as create returns. Twice, by two incarnations, does no harm.
            self._answered = True
            self.channel.send(talk.AnswerCreate("", ""))
        if wanted and isinstance(wanted[-1].message, e.Finished):
            self._finish(wanted[-1].message)

    def _write_state(self) -> bool:
        """Write ``state.json``, if not now, then later; whether it could be written."""
        shown = self.recorder.show(self.container)
        if not shown:
            self.inbox.later("state-file", DISK)
        return shown

    def _look_at_directory(self) -> None:
        """Whoever takes the directory of a container away before ``create`` has returned does not want it."""
        if self.container.answered:
            return
        if not os.path.isdir(self.paths.directory):
            self._happen(e.CancelRequested("the removal of its state directory", REFUSED, forced=True))
        self.inbox.later("directory", DIRECTORY)

    def _set_clocks(self) -> None:
        """Start the clocks that the state calls for; each is started once."""
        for name, seconds in clocks.running(self.container, self.begin.creation.settings).items():
            if not self.inbox.expects(name):
                self.inbox.later(name, seconds)

    def _finish(self, event: e.Finished) -> None:
        ending = self.container.ending
        assert ending is not None  # noqa: S101 - the life cycle wants Finished only when it ends
        if not self.container.answered:
            self.channel.send(talk.AnswerCreate(ending.code, ending.sentence or "the container was cancelled"))
        if ending.sentence and ending.kind != "exited":
            self.log.write("info", f"{ending.kind}, exit code {ending.exit_code}: {ending.sentence}")
        if ending.kind == "out-of-memory":
            leave_mark(self.begin.creation.bundle, self.begin.anchor)
        with contextlib.suppress(StorageError):  # all is done; ``delete`` does it again if it is not in the journal
            self.recorder.note(event)
        self.container = lifecycle.apply(self.container, event)
        self._write_state()
        self._keep_end()
        self._publish("state", event)
        self.requests.answer(self.container)
        self._remove_abandoned()
        self._leave()

    def _keep_end(self) -> None:
        """Before anybody hears that it has ended: an engine then deletes it, and its user asks ``scrun why``."""
        from proto.life import ends  # not on the way of ``create``

        ends.note(self.container, self.recorder.records[-1].time)

    def _remove_abandoned(self) -> None:
        """``create`` takes away the directory of a container that it could not create; here it is dead."""
        if self._abandoned:
            remove_tree(self.paths.directory)

    def _leave(self) -> None:
        ending = self.container.ending
        assert ending is not None  # noqa: S101 - it has finished
        self.channel.send(talk.Finish(ending.exit_code, hand_over=self.container.given_up))

    # --- what comes in ----------------------------------------------------------------------------------------

    def _on_arrival(self, arrival: Arrival) -> None:
        envelope = arrival.envelope
        match envelope.message:
            case requests.Start() | requests.Kill() | requests.Delete() as request:
                self._on_request(arrival, request)
            case requests.Intervene() as wish:
                self.desk.intervene(arrival, wish, self.children, self._happen)
            case requests.Inspect(what):
                self.desk.inspect(arrival, what, self.container, self.children)
            case requests.Heard() if envelope.source not in CLIENTS:
                self.asking.heard(envelope.cause)
            case requests.Note(event, data):
                self.tap.publish_data("note", (envelope.source, event), lambda: dict(data))
                if envelope.source in CLIENTS:
                    self.hub.reply(arrival, requests.Done())
            case message if type(message) in lifecycle.RULES and envelope.source not in CLIENTS:
                self._happen(message, envelope.source, envelope.id)
                self.hub.reply(arrival, requests.Heard())
            case message:
                self.hub.reply(
                    arrival, requests.Failed("protocol", f"{type(message).__name__} is not for the state actor")
                )

    def _publish(self, source: str, fact: Message) -> None:
        """Put a fact on the tap, and what the container is by it."""
        self.tap.publish("fact", source, fact)
        self.tap.publish_data("state", (), self._snapshot)

    def _snapshot(self) -> dict[str, object]:
        return snapshot(self.container, self.begin.anchor)

    def _greeting(self) -> dict[str, object]:
        return greeting(self.container, self.begin.anchor, self.children.values(), self.recorder.records)

    def _on_reached(self, actor: str) -> None:
        self.asking.forget(actor)
        self._pursue()

    def _on_request(self, arrival: Arrival, request: Request) -> None:
        envelope = arrival.envelope
        self.tap.publish("request", envelope.source, request)
        event = self.requests.admit(self.container, arrival, request)
        if event is not None:
            self._happen(event, envelope.source, envelope.id)
        self.requests.answer(self.container)
        self.requests.wait(envelope.id)

    def _on_child(self, child: talk.ChildChanged) -> None:
        known = {**self.children, child.actor: child}
        self.children = {kind.name: known[kind.name] for kind in TABLE if kind.name in known}
        early: list[Arrival | Reached] = []
        if child.status == "running":
            early = self.hub.introduce(child.actor, child.pid)
        self.tap.publish("child", child.actor, child)
        for event in early:
            self.on_event(event)
        if child.status == "given-up":
            self._happen(e.CancelRequested(f"scrun: {child.reason}", INTERNAL, forced=True))


def main(begin: talk.Begin, channel: int) -> int:
    """Body of the process."""
    make_room()
    return run(StateActor, begin, channel)
