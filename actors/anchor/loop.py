"""The anchor's loop: one thread that waits for signals, actors, the guard and ``create``, and obeys.

It never waits for an actor, and nothing that an actor says can end it except ``Finish``.
"""

import contextlib
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING

from actors.process.logbook import Logbook
from actors.process.pipes import NARROW, make_pipe
from proto.exit_codes import INTERNAL
from proto.host import sessions
from proto.life import talk
from proto.life.creation import Creation
from proto.wire.registry import Message

from .caller import Caller
from .children import Child, kill
from .commands import CommandTable, Started
from .descriptors import Descriptors
from .engine import Engine
from .guard import Guard
from .outbox import Outbox
from .supervisor import NO_ROOM, Supervisor
from .window import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

RELAYED = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
)  # fmt: skip
"""Signals that engines and administrators send to the anchor and that mean the container."""
LAST_WORDS = 0.5
"""Seconds that the state actor gets to send its last replies before it is killed."""
DEATH = 2.0
"""Seconds that all who were killed get to die. (podman waits 5 s for the anchor.)"""


class Anchor:
    """The process whose pid is the container's pid and whose exit status is the container's."""

    def __init__(
        self, creation: Creation, descriptors: Descriptors, commands: CommandTable, guard: Guard, answer: socket.socket,
        lock: int, engine: Engine | None,
    ) -> None:  # fmt: skip
        self._uid = creation.caller.uid
        self._descriptors = descriptors
        self._commands = commands
        self._guard = guard
        self._window = Window(commands)
        self._log = Logbook(creation, "anchor")
        self._outbox = Outbox()
        self._poller = select.poll()
        self._actors = Supervisor(creation, descriptors, lock, self._poller, self._log, self._outbox)
        self._wakeup = _catch_signals()
        self._poller.register(self._wakeup, select.POLLIN)
        self._caller = Caller(answer, engine, self._poller, self._outbox)
        self._finish: talk.Finish | None = None
        self._handlers: dict[type[Message], Callable[[Child, Any], object]] = {
            talk.Ready: lambda child, _: self._actors.ready(child),
            talk.Lease: self._actors.renew,
            talk.Spawn: self._on_spawn,
            talk.SignalCommand: lambda _, v: self._commands.signal(v.name, v.signal),
            talk.FollowWindow: lambda *_: self._window.follow(),
            talk.Close: lambda _, v: self._descriptors.close(*v.names),
            talk.Needed: lambda _, v: self._actors.need(v.actors),
            talk.Rest: self._actors.rest,
            talk.AnswerCreate: lambda _, v: self._caller.answer(v.code, v.sentence),
            talk.Heeded: lambda _, v: self._outbox.heeded(v),
            talk.Administer: lambda _, v: self._administer(v),
            talk.ListProcesses: lambda child, _: self._list_processes(child),
            talk.Finish: self._on_finish,
        }

    def run(self) -> int:
        """Serve until the container is over; return the anchor's exit status."""
        self._reap()  # a command that ended before there was a handler for SIGCHLD: a job refused at once
        while self._finish is None:
            self._actors.keep()
            patience = min(self._actors.patience(), self._keep_guard())
            self._outbox.tell(self._actors["state"].channel)
            for fd, _ in self._poller.poll(patience):
                if fd == self._wakeup:
                    self._on_signals()
                elif not self._caller.hear(fd):
                    self._on_channel(fd)
        return self._end(self._finish)

    def _keep_guard(self) -> int:
        """Replace a guard that has died; milliseconds after which to try that again."""
        try:
            if not self._guard.pid:
                self._guard.start()
        except OSError as error:
            self._log.write("error", f"the guard cannot be started now, which is tried again: {error}")
            return int(NO_ROOM * 1000)
        return 60_000

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
                # Asked now: a moment later the user may have logged in again, while actors begin anew.
                self._outbox.interrupted(number, logout=number == signal.SIGTERM and sessions.are_over(self._uid))

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
                self._guard.died()
                continue
            child = self._actors.with_pid(pid)
            if child is not None:
                self._on_child_died(child, status)
                continue
            command = self._commands.reaped(pid, status)
            if command is not None:
                self._tell_owner(command)

    def _on_child_died(self, child: Child, status: int) -> None:
        kill(child)  # what is left of its process group
        for message in self._actors.received(child) or ():
            self._obey(child, message)
        given_up = self._actors.died(child, status)
        if given_up and child.name == "state":
            self._caller.answer("internal", f"scrun gave up: {given_up}")
            self._finish = talk.Finish(INTERNAL, hand_over=True)

    def _tell_owner(self, command: Started) -> None:
        """Of a command's end; who is at rest comes back and asks."""
        if command.status is None:
            return
        owner = self._actors[command.owner]
        self._actors.rouse(owner)
        if owner.channel is not None:
            with contextlib.suppress(ConnectionError):
                owner.channel.send(talk.Exited(command.name, command.status))

    def _on_channel(self, fd: int) -> None:
        child = self._actors.with_channel(fd)
        if child is None:
            self._actors.ready_for(fd)
            return
        received = self._actors.received(child)
        if received is None:
            self._actors.hang_up(child)
        for message in received or ():
            self._obey(child, message)

    def _obey(self, child: Child, message: Message) -> None:
        handler = self._handlers.get(type(message))
        if handler is None:
            self._log.write("error", f"{child.name} sent {type(message).__name__} to the anchor")
            return
        self._actors.renew(child)
        try:
            handler(child, message)
        except Exception as error:
            # A signal that does not exist, an actor that there is not: the fault is the sender's, not the anchor's.
            self._actors.condemn(child, f"sent {type(message).__name__}, which cannot be: {error!r}")

    def _on_spawn(self, child: Child, message: talk.Spawn) -> None:
        if message.terminal:
            self._window.begin(message.name)
        command = self._commands.spawn(message, child.name)
        if not command.pid:
            self._log.write("error", f"{child.name} asked for {message.name}, which could not be started")
        if child.channel is not None:
            with contextlib.suppress(ConnectionError):
                child.channel.send(talk.Spawned(command.name, command.pid))
        self._tell_owner(command)

    def _list_processes(self, child: Child) -> None:
        """Tell the state actor whom there is."""
        guard = talk.Process("guard", self._guard.pid, self._guard.incarnation)
        commands = (talk.Process(c.name, c.pid, task=c.owner) for c in self._commands.running())
        if child.channel is not None:
            with contextlib.suppress(ConnectionError):
                child.channel.send(talk.Processes((guard, *self._actors.processes(), *commands), self._actors.held))

    def _administer(self, message: talk.Administer) -> None:
        """Do to an actor what somebody at the console wants."""
        from .interventions import ACTIONS  # seldom wanted, and never by ``create``

        self._log.write("info", f"the console: {message.action} {message.actor} {message.level}".rstrip())
        ACTIONS[message.action](self._actors, message)

    def _on_finish(self, _child: Child, message: talk.Finish) -> None:
        self._finish = message

    # --- the end ----------------------------------------------------------------------------------------------

    def _end(self, finish: talk.Finish) -> int:
        """Let the state actor say its last words, end everybody, and return the exit status.

        The state actor goes first. libzmq keeps a word for a peer that has just died as long as LINGER allows, and so
        did the end of one container in thirty on a busy host, 0.3 s, when the other actors were killed before it.
        """
        commands = self._commands.running()
        for command in commands:
            self._commands.signal(command.name, signal.SIGKILL)
        state = self._actors["state"]
        if state.channel is not None:
            with contextlib.suppress(ConnectionError):
                state.channel.send(talk.Stop())
            _await_end([state.pid], LAST_WORDS)
        others = self._actors.end_all_but_state()
        kill(state)
        # Whoever learns of the anchor's end finds none of them. SIGKILL alone is not yet the death.
        _await_end([*(child.pid for child in (*others, state)), *(command.pid for command in commands)], DEATH)
        # For the engine would get their zombies, and nobody what they have used of the processor.
        with contextlib.suppress(ChildProcessError):
            while pid := os.waitpid(-1, os.WNOHANG)[0]:
                if pid == self._guard.pid:
                    self._guard.died()
        self._guard.dismiss(hand_over=finish.hand_over)
        return finish.exit_code


def _await_end(children: list[int], limit: float) -> None:
    """Wait until they have ended, so many seconds at most; 0 is one that there is not."""
    deadline = time.monotonic() + limit
    for pid in children:
        if pid:
            handle = os.pidfd_open(pid)
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            poller.poll(max(0, int((deadline - time.monotonic()) * 1000)))
            os.close(handle)


def _catch_signals() -> int:
    """Turn signals into bytes of a pipe; return its read end."""
    read, write = make_pipe(NARROW)
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
