"""The actors' supervisor: starts them, replaces who dies or is stuck, and tells the state actor of it.

When to start whom again is ``actors.process.supervision``'s to decide; this is the hand that does it.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Collection, Iterator

from actors.process import supervision
from actors.process.logbook import Logbook, last_words
from proto.errors import ProtocolError
from proto.host.paths import ContainerPaths
from proto.life import talk
from proto.life.creation import Creation
from proto.value import replace
from proto.wire.registry import Message

from .children import Child, fork, kill, send
from .descriptors import Descriptors
from .outbox import Outbox
from .vigil import Vigil

LONGEST_LEASE = 86400.0
NO_ROOM = 0.5
"""Seconds until it is tried again to start a process for which this host had no room."""


class Supervisor:
    """All actors of one container, by name.

    Attributes:
        kill, send, clock: its hands and its watch; see there.
        held: whether nobody shall be replaced but the state actor.

    """

    def __init__(
        self, creation: Creation, descriptors: Descriptors, lock: int, poller: select.poll, log: Logbook,
        outbox: Outbox,
        *, bear: Callable[[Child, Creation, Descriptors, int], None] = fork, kill: Callable[[Child], None] = kill,
        send: Callable[[Child, int], None] = send, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Args:
        creation: of the container.
        descriptors: the anchor's; actors inherit some of them.
        lock: descriptor of the container's lock, which every process inherits.
        poller: the anchor's; the actors' channels are registered with it.
        log: the anchor's.
        news: where the state actor is told who comes and goes.
        bear: starts the next incarnation of an actor.
        kill: ends one.
        send: signals one.
        clock: monotonic time.
        """
        self._creation = creation
        self._descriptors = descriptors
        self._lock = lock
        self._poller = poller
        self._log = log
        self._outbox = outbox
        self._bear = bear
        self.kill = kill
        self.send = send
        self.clock = clock
        self.held = False
        self._vigil = Vigil(poller, descriptors)
        now = clock()
        self._children = {s.name: Child(s, now if s.early else None) for s in supervision.TABLE}

    def __getitem__(self, name: str) -> Child:
        """The actor of that name.

        Raises:
            KeyError: there is none.

        """
        return self._children[name]

    def __iter__(self) -> Iterator[Child]:
        """All of them."""
        return iter(self._children.values())

    def with_pid(self, pid: int) -> Child | None:
        """The actor whose process that is."""
        return next((child for child in self._children.values() if child.pid == pid), None)

    def with_channel(self, fd: int) -> Child | None:
        """The actor at the other end of a channel."""
        found = (c for c in self._children.values() if c.channel is not None and c.channel.fileno() == fd)
        return next(found, None)

    def processes(self) -> list[talk.Process]:
        """Those that live, for whoever looks."""
        now = self.clock()
        return [
            talk.Process(c.name, c.pid, c.incarnation, round(r.lease_ends - now, 1), r.mailbox, r.task, r.frozen)
            for c, r in ((child, child.record) for child in self._children.values())
            if c.pid
        ]

    # --- who runs ---------------------------------------------------------------------------------------------

    def keep(self) -> None:
        """Start whose time has come, and end who has not been heard of for too long."""
        now = self.clock()
        for name in self._vigil.look(now):
            self.rouse(self._children[name])
        for child in reversed(self._children.values()):
            if child.due is not None and child.due <= now and not child.pid and not self._waits(child):
                self._start(child, now)
        for child in self._children.values():
            if child.pid and supervision.stuck(child.record, now, held=self._holds(child)):
                self.condemn(child, f"is stuck ({child.record.task or 'idle'}); replaced")
                child.record = supervision.renewed(child.record, now, supervision.LEASE, "being killed")

    def patience(self) -> int:
        """Milliseconds until the next moment that the policy cares about."""
        now = self.clock()
        children = self._children.values()
        moments = [c.record.lease_ends for c in children if c.pid and not c.record.frozen and not self._holds(c)]
        moments += [c.due for c in children if c.due is not None and not self._waits(c)]
        moments += self._vigil.moments()
        return max(0, int((min(moments, default=now + 60) - now) * 1000) + 1)

    def need(self, names: Collection[str]) -> None:
        """These have something to do; the others may go when they rest."""
        for child in self._children.values():
            child.needed = child.name in names
            if child.needed:
                self.rouse(child)

    def rouse(self, child: Child) -> None:
        """Something has happened that is the actor's affair: have it, if it is not there or about to go."""
        self._vigil.end(child)
        if child.due is None and (not child.pid or child.dismissed) and not child.given_up:
            child.due = self.clock()
            child.again = False

    def ready_for(self, fd: int) -> None:
        """A descriptor is ready that is no actor's channel."""
        child = self._vigil.whose(fd)
        if child is not None:
            self.rouse(child)

    def rest(self, child: Child, rest: talk.Rest) -> None:
        """Let an actor go that has nothing to do, if that is still so: it may not have heard what it was told last."""
        heard = child.channel is not None and rest.heard == child.channel.sent
        if heard and not child.needed and self._vigil.may_begin(rest):
            child.counts = rest.counts
            self._vigil.begin(child, rest, self.clock())
            child.dismissed = True
            self.kill(child)

    def end_all_but_state(self) -> list[Child]:
        """From the last to the first; return them."""
        others = [child for child in reversed(self._children.values()) if child.name != "state"]
        for child in others:
            self.kill(child)
        return others

    def _start(self, child: Child, now: float) -> None:
        child.due = None
        child.revived = False
        try:
            self._bear(child, self._creation, self._descriptors, self._lock)
        except OSError as error:
            if child.specification.early and not child.incarnation:
                raise  # the container has not begun: better to say why it cannot
            self._log.write("error", f"{child.name} cannot be started now, which is tried again: {error}")
            child.due = now + NO_ROOM
            return
        child.record = supervision.started(child.record, now)
        assert child.channel is not None  # noqa: S101 - fork() set it
        self._poller.register(child.channel, select.POLLIN)
        self._report(child, "running")
        self.tell_level(child)
        if child.name == "state":
            # A replaced state actor hears only those whom the anchor has vouched for.
            self._outbox.begin_anew()
            for other in self._children.values():
                if other is not child and other.pid:
                    self._report(other, "running")
                elif other.incarnation and other.due is not None:
                    self._report(other, "dead", "waits for its restart")

    def tell_level(self, child: Child) -> None:
        """Have it say so much in the log, if somebody has asked for that."""
        if child.level and child.channel is not None:
            with contextlib.suppress(ConnectionError):
                child.channel.send(talk.SetLevel(child.level))

    def _holds(self, child: Child) -> bool:
        return self.held and child.name not in supervision.FREE

    def _waits(self, child: Child) -> bool:
        return child.again and self._holds(child)

    # --- what is heard of them --------------------------------------------------------------------------------

    def received(self, child: Child) -> list[Message] | None:
        """What an actor has sent; None if there will be nothing more that could be understood."""
        if child.channel is None:
            return None
        try:
            return child.channel.receive()
        except ProtocolError as error:
            self.condemn(child, f"does not speak the protocol: {error}")
            return None

    def condemn(self, child: Child, why: str) -> None:
        """End an actor that does not do what it should."""
        self._log.write("error", f"{child.name} {why}")
        child.condemned = True
        self.kill(child)

    def hang_up(self, child: Child) -> None:
        """It is dying; SIGCHLD follows. Until then the end of file must not spin the loop."""
        if child.channel is not None:
            self._poller.modify(child.channel, 0)
        self.kill(child)

    def ready(self, child: Child) -> None:
        """It has said that it listens."""
        child.record = supervision.ready(child.record)
        self._log.write("debug", f"{child.name} is ready, incarnation {child.incarnation}, pid {child.pid}")

    def renew(self, child: Child, lease: talk.Lease | None = None) -> None:
        """It has been heard, or has asked for more time."""
        if lease is None:
            child.record = supervision.heard(child.record, self.clock())
            return
        seconds = min(LONGEST_LEASE, lease.seconds)  # a NaN is not less
        record = supervision.renewed(child.record, self.clock(), seconds, lease.task)
        child.record = replace(record, mailbox=lease.mailbox)

    def died(self, child: Child, status: int) -> str:
        """Take note of an actor's end, and decide when there will be another.

        Returns:
            Nothing, or why there will be none although it is needed.

        """
        if child.channel is not None:
            self._poller.unregister(child.channel)
            child.channel.close()
            child.channel = None
        child.pid = 0
        normal = child.dismissed or (status == 0 and not child.needed)
        reason = "not needed now" if child.dismissed else _describe(status)
        struck = os.waitstatus_to_exitcode(status) == -signal.SIGKILL and not child.condemned
        child.dismissed = child.condemned = False
        verdict = supervision.died(child.specification, child.record, self.clock(), normal=normal, struck=struck)
        child.record = verdict.record
        child.given_up = verdict.given_up
        if verdict.given_up:
            words = last_words(ContainerPaths(self._creation.root, self._creation.id).log)
            told = f"its {child.name} process failed again and again ({reason}); the log's last words: {words}"
            self._report(child, "given-up", told)
            return told
        if verdict.delay is None:
            self._report(child, "stopped", reason)
        else:
            child.due = self.clock() + verdict.delay
            child.again = not child.revived
            child.restarts += 1
            self._report(child, "dead", reason)
        return ""

    def _report(self, child: Child, status: str, reason: str = "") -> None:
        self._log.write("debug", f"{child.name} {status} {reason}")
        self._outbox.child(talk.ChildChanged(child.name, child.pid, child.incarnation, child.restarts, status, reason))


def _describe(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    return f"exit status {os.WEXITSTATUS(status)}"
