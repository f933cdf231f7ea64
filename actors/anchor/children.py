"""The actors' processes: forked from the anchor, so that a replacement is up in 5 ms and shares its pages."""

import contextlib
import gc
import importlib
import os
import signal

from actors.process.channel import Channel
from actors.process.forking import close_all_but, default_signals, detach_stdio, name_process, pair
from actors.process.supervision import Restarts, Specification
from proto.exit_codes import INTERNAL
from proto.life.creation import Creation
from proto.life.talk import Begin

from .descriptors import Descriptors


class Child:
    """One actor: its specification, its present incarnation if there is one, and what the policy remembers.

    Attributes:
        due: monotonic time at which to start it (again); None: not wanted now.
        dismissed: whether it was killed because it is not wanted any more.
        condemned: whether it was killed because it did not do what it should.
        again: whether ``due`` is a restart of the policy's, which somebody may hold.
        revived: whether somebody has asked for the restart that its death will bring.
        level: of its log, if somebody has asked for another one.
        given_up: whether it has failed so often that there will be no other.
        needed: whether the state actor has something for it to do.
        counts: what it has left to its next incarnation when it went to rest.

    """

    def __init__(self, specification: Specification, due: float | None) -> None:
        self.specification = specification
        self.record = Restarts()
        self.pid = 0
        self.incarnation = 0
        self.restarts = 0
        self.channel: Channel | None = None
        self.due = due
        self.dismissed = False
        self.condemned = False
        self.again = False
        self.revived = False
        self.level = ""
        self.given_up = False
        self.needed = False
        self.counts: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The actor's name."""
        return self.specification.name


def fork(child: Child, creation: Creation, descriptors: Descriptors, lock: int) -> None:
    """Start the next incarnation of a child.

    Raises:
        OSError: there can be no more processes or descriptors.

    """
    ours, theirs = pair()
    inherited = descriptors.named(child.specification.descriptors)
    begin = Begin(child.name, child.incarnation + 1, creation, os.getpid(), inherited, child.counts)
    with theirs:
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            raise
        if pid == 0:
            _become(child.specification.main, begin, theirs.fileno(), lock)
    child.incarnation += 1
    with contextlib.suppress(OSError):
        # Both sides do it, so that neither has to wait: kill() goes to the group at any time.
        os.setpgid(pid, pid)
    child.pid = pid
    child.channel = Channel(ours, patient=False)


def kill(child: Child) -> None:
    """End an actor now, with everything in its process group (the Lua script's commands)."""
    send(child, signal.SIGKILL)


def send(child: Child, signum: int) -> None:
    """Send a signal to an actor and everything in its process group."""
    if child.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signum)


def _become(module: str, begin: Begin, channel: int, lock: int) -> None:
    """In the child: never returns."""
    code = INTERNAL
    try:
        os.setpgid(0, 0)
        default_signals()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        detach_stdio()
        name_process(f"scrun-{begin.actor}")
        close_all_but({0, 1, 2, channel, lock, *begin.descriptors.values()})
        gc.enable()
        code = importlib.import_module(module).main(begin, channel)
    except BaseException:
        from actors.process.logbook import report_crash

        report_crash(begin.creation, begin.actor)
    os._exit(code)
