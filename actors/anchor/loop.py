"""The anchor's loop: one thread that waits for signals, actors, the guard and ``create``, and obeys.

It never waits for an actor, and nothing that an actor says can end it except ``Finish``.
"""

import contextlib
import os
import select
import signal
import socket
import time

from actors import supervision
from actors.logbook import Logbook, last_words
from proto import messages as m
from proto.creation import Creation
from proto.errors import ProtocolError
from proto.exit_codes import INTERNAL
from proto.paths import ContainerPaths
from proto.registry import Message

from .children import Child, fork, kill
from .commands import Command, Commands
from .descriptors import Descriptors
from .guard import Guard
from .window import Window

RELAYED = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip
"""Signals that engines and administrators send to the anchor and that mean the container."""
LONGEST_LEASE = 86400.0
LAST_WORDS = 0.5
"""Seconds that the state actor gets to send its last replies before it is killed."""


class Anchor:
    """The process whose pid is the container's pid and whose exit status is the container's."""

    def __init__(
        self, creation: Creation, descriptors: Descriptors, commands: Commands, guard: Guard, answer: socket.socket,
        lock: int,
    ) -> None:  # fmt: skip
        self._creation = creation
        self._descriptors = descriptors
        self._commands = commands
        self._guard = guard
        self._answer: socket.socket | None = answer
        self._lock = lock
        self._window = Window(commands)
        self._log = Logbook(creation, "anchor")
        now = time.monotonic()
        self._children = {s.name: Child(s, None if s.late else now) for s in supervision.TABLE}
        self._poller = select.poll()
        self._wakeup = _catch_signals()
        self._poller.register(self._wakeup, select.POLLIN)
        self._poller.register(answer, 0)
        self._for_state: list[Message] = []
        self._unheeded: list[m.Interrupted] = []
        self._counts: dict[int, int] = {}
        self._abandoned = False
        self._finish: m.Finish | None = None
        self._handlers = {
            m.Ready: self._on_ready,
            m.Lease: self._on_lease,
            m.Spawn: self._on_spawn,
            m.SignalCommand: lambda _, v: self._commands.signal(v.name, v.signal),
            m.FollowWindow: lambda *_: self._window.follow(),
            m.Close: lambda _, v: self._descriptors.close(*v.names),
            m.RunActor: self._on_run_actor,
            m.AnswerCreate: self._on_answer_create,
            m.Heeded: self._on_heeded,
            m.Finish: self._on_finish,
        }

    def run(self) -> int:
        """Serve until the container is over; return the anchor's exit status."""
        self._reap()  # a command that ended before there was a handler for SIGCHLD: a job refused at once
        while self._finish is None:
            self._start_what_is_due()
            self._replace_who_is_stuck()
            self._tell_state()
            for fd, _ in self._poller.poll(self._patience()):
                if fd == self._wakeup:
                    self._on_signals()
                elif self._answer is not None and fd == self._answer.fileno():
                    self._on_create_gone()
                else:
                    self._on_channel(fd)
        return self._end(self._finish)

    # --- children ---------------------------------------------------------------------------------------------

    def _start_what_is_due(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.due is not None and child.due <= now and not child.pid:
                child.due = None
                fork(child, self._creation, self._descriptors, self._lock)
                child.record = supervision.started(child.record, now)
                assert child.channel is not None  # noqa: S101 - fork() set it
                self._poller.register(child.channel, select.POLLIN)
                self._report(child, "running")
                if child.name == "state":
                    self._introduce_all_to(child)

    def _introduce_all_to(self, state: Child) -> None:
        """A replaced state actor hears only those whom the anchor has vouched for.

        Its predecessor may have died with what it was told and had not yet written down.
        """
        self._for_state = [v for v in self._for_state if not isinstance(v, m.Interrupted | m.Abandoned)]
        self._for_state += self._unheeded
        if self._abandoned:
            self._for_state.append(m.Abandoned())
        for child in self._children.values():
            if child is not state and child.pid:
                self._report(child, "running")

    def _replace_who_is_stuck(self) -> None:
        now = time.monotonic()
        for child in self._children.values():
            if child.pid and supervision.stuck(child.record, now):
                self._log.write("error", f"{child.name} is stuck ({child.record.task or 'idle'}); replaced")
                kill(child)
                child.record = supervision.renewed(child.record, now, supervision.LEASE, "being killed")

    def _patience(self) -> int:
        """Milliseconds until the next moment that the policy cares about."""
        now = time.monotonic()
        moments = [c.record.lease_ends for c in self._children.values() if c.pid]
        moments += [c.due for c in self._children.values() if c.due is not None]
        return max(0, int((min(moments, default=now + 60) - now) * 1000) + 1)

    def _report(self, child: Child, status: str, reason: str = "") -> None:
        self._log.write("debug", f"{child.name} {status} {reason}")
        self._for_state.append(m.Child(child.name, child.pid, child.incarnation, child.restarts, status, reason))

    def _tell_state(self) -> None:
        """Pass on what the state actor has to know; it is kept while there is none."""
        channel = self._children["state"].channel
        while self._for_state and channel is not None:
            try:
                channel.send(self._for_state[0])
            except ConnectionError:
                return
            del self._for_state[0]

    # --- what comes in ----------------------------------------------------------------------------------------

    def _on_signals(self) -> None:
        for number in os.read(self._wakeup, 512):
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGWINCH:
                self._window.resized()
            elif number == signal.SIGHUP and self._window.hung_up():
                self._log.write("error", "the engine has closed the container's terminal")
            else:
                self._counts[number] = self._counts.get(number, 0) + 1
                self._unheeded.append(m.Interrupted(number, self._counts[number]))
                self._for_state.append(self._unheeded[-1])

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._guard.pid:
                self._log.write("error", "the guard died; replaced")
                self._guard.fork()
                continue
            child = next((c for c in self._children.values() if c.pid == pid), None)
            if child is not None:
                self._on_child_died(child, status)
                continue
            command = self._commands.reaped(pid, status)
            if command is not None:
                self._tell_owner(command)

    def _on_child_died(self, child: Child, status: int) -> None:
        kill(child)  # what is left of its process group
        if child.channel is not None:
            for message in self._received(child) or ():
                self._obey(child, message)
            self._poller.unregister(child.channel)
            child.channel.close()
            child.channel = None
        child.pid = 0
        normal = status == 0 or child.dismissed
        reason = "not needed now" if child.dismissed else _describe(status)
        child.dismissed = False
        verdict = supervision.died(child.specification, child.record, time.monotonic(), normal=normal)
        child.record = verdict.record
        if verdict.given_up:
            self._give_up(child, reason)
        elif verdict.delay is None:
            self._report(child, "stopped", reason)
        else:
            child.due = time.monotonic() + verdict.delay
            child.restarts += 1
            self._report(child, "dead", reason)

    def _give_up(self, child: Child, reason: str) -> None:
        words = last_words(ContainerPaths(self._creation.root, self._creation.id).log)
        told = f"its {child.name} process failed again and again ({reason}); the log's last words: {words}"
        self._report(child, "given-up", told)
        if child.name == "state":
            self._on_answer_create(child, m.AnswerCreate("internal", f"scrun gave up: {told}"))
            self._finish = m.Finish(INTERNAL, 0, hand_over=True)

    def _tell_owner(self, command: Command) -> None:
        channel = self._children[command.owner].channel
        if channel is not None and command.status is not None:
            with contextlib.suppress(ConnectionError):
                channel.send(m.Exited(command.name, command.status))

    def _on_create_gone(self) -> None:
        assert self._answer is not None  # noqa: S101 - it was polled
        self._poller.unregister(self._answer)
        self._answer.close()
        self._answer = None
        self._abandoned = True
        self._for_state.append(m.Abandoned())

    def _on_channel(self, fd: int) -> None:
        for child in self._children.values():
            if child.channel is not None and child.channel.fileno() == fd:
                received = self._received(child)
                if received is None:
                    # It is dying; SIGCHLD follows. Until then the end of file must not spin the loop.
                    self._poller.modify(fd, 0)
                    kill(child)
                for message in received or ():
                    self._obey(child, message)
                return

    def _received(self, child: Child) -> list[Message] | None:
        """What an actor has sent; None if there will be nothing more that could be understood."""
        assert child.channel is not None  # noqa: S101 - the callers looked
        try:
            return child.channel.receive()
        except ProtocolError as error:
            self._log.write("error", f"{child.name} does not speak the protocol: {error}")
            return None

    def _obey(self, child: Child, message: Message) -> None:
        handler = self._handlers.get(type(message))
        if handler is None:
            self._log.write("error", f"{child.name} sent {type(message).__name__} to the anchor")
            return
        child.record = supervision.renewed(child.record, time.monotonic(), supervision.LEASE, child.record.task)
        try:
            handler(child, message)  # type: ignore[operator]
        except Exception as error:
            # A signal that does not exist, an actor that nobody knows: the sender is out of its mind, not the anchor.
            self._log.write("error", f"{child.name} sent {type(message).__name__}, which cannot be: {error!r}")
            kill(child)

    def _on_ready(self, child: Child, _message: m.Ready) -> None:
        child.record = supervision.ready(child.record)
        self._log.write("debug", f"{child.name} is ready, incarnation {child.incarnation}, pid {child.pid}")

    def _on_lease(self, child: Child, message: m.Lease) -> None:
        seconds = min(LONGEST_LEASE, message.seconds)  # in this order: a NaN is not less
        child.record = supervision.renewed(child.record, time.monotonic(), seconds, message.task)

    def _on_spawn(self, child: Child, message: m.Spawn) -> None:
        if message.terminal:
            self._window.begin(message.name)
        command = self._commands.spawn(message, child.name)
        if not command.pid:
            self._log.write("error", f"{child.name} asked for {message.name}, which could not be started")
        if child.channel is not None:
            with contextlib.suppress(ConnectionError):
                child.channel.send(m.Spawned(command.name, command.pid))
        self._tell_owner(command)

    def _on_run_actor(self, _child: Child, message: m.RunActor) -> None:
        child = self._children[message.actor]
        if message.run and child.due is None and (not child.pid or child.dismissed):
            child.due = time.monotonic()
        elif not message.run:
            child.due = None
            child.dismissed = bool(child.pid)
            kill(child)

    def _on_answer_create(self, _child: Child, message: m.AnswerCreate) -> None:
        if self._answer is not None:
            with contextlib.suppress(OSError):
                self._answer.send(f"{message.code}\n{message.sentence}".encode())
            self._poller.unregister(self._answer)
            self._answer.close()
            self._answer = None
        for child in self._children.values():
            if child.specification.late and not child.incarnation and not message.code:
                child.due = time.monotonic()

    def _on_heeded(self, _child: Child, message: m.Heeded) -> None:
        self._unheeded = [v for v in self._unheeded if (v.signal, v.number) != (message.signal, message.number)]

    def _on_finish(self, _child: Child, message: m.Finish) -> None:
        self._finish = message

    # --- the end ----------------------------------------------------------------------------------------------

    def _end(self, finish: m.Finish) -> int:
        """Let the state actor say its last words, end everybody, and return the exit status."""
        self._guard.over(hand_over=finish.hand_over)
        for child in reversed(self._children.values()):
            if child.name != "state":
                kill(child)
        for command in self._commands.running():
            self._commands.signal(command.name, signal.SIGKILL)
        state = self._children["state"]
        if state.channel is not None:
            with contextlib.suppress(ConnectionError):
                state.channel.send(m.Stop())
            self._await_exit(state, time.monotonic() + LAST_WORDS)
        return finish.exit_code

    def _await_exit(self, child: Child, deadline: float) -> None:
        handle = os.pidfd_open(child.pid)
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        poller.poll(max(0, int((deadline - time.monotonic()) * 1000)))
        os.close(handle)
        kill(child)


def _catch_signals() -> int:
    """Turn signals into bytes of a pipe; return its read end."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for signum in (signal.SIGCHLD, signal.SIGWINCH, *RELAYED):
        signal.signal(signum, lambda *_: None)
    for signum in (signal.SIGPIPE, signal.SIGTTIN, signal.SIGTTOU, signal.SIGTSTP, signal.SIGALRM):
        signal.signal(signum, signal.SIG_IGN)
    # podman's clean-up blocks SIGUSR1 (measured); a mask is inherited.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return read


def _describe(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"killed by signal {os.WTERMSIG(status)}"
    return f"exit status {os.WEXITSTATUS(status)}"
