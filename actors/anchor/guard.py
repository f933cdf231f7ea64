"""The anchor's end of the guard: forked first, forked again whenever it dies."""

import contextlib
import os
import signal
import socket  # noqa: TC003 - not worth a block of its own
from collections.abc import Sequence

from actors.guard.waiting import become
from actors.process.forking import close_all_but, default_signals, detach_stdio, pair
from proto.exit_codes import INTERNAL
from proto.life.creation import Creation

_DEAF_TO = (
    signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE,
)  # fmt: skip
"""It must outlive what is sent to the anchor's relatives."""


class Guard:
    """A tiny process in a session of its own that waits for the anchor's death."""

    def __init__(self, creation: Creation, inherited: Sequence[int], journal: int) -> None:
        """Args:
        creation: what ``create`` found out.
        inherited: descriptors that last as long as anchor or guard: the container's lock, what holds its job.
        journal: descriptor of the journal.
        """
        self._creation = creation
        self._inherited = (*inherited, journal)
        self._journal = journal
        self._sock: socket.socket | None = None
        self.pid = 0
        self.incarnation = 0

    def fork(self) -> None:
        """Start it.

        Raises:
            OSError: there can be no more processes or descriptors.

        """
        ours, theirs = pair()
        anchor = os.getpid()
        try:
            pid = os.fork()
        except OSError:
            ours.close()
            theirs.close()
            raise
        self.incarnation += 1
        if pid == 0:
            try:
                self._become(theirs.fileno(), anchor)
            except BaseException:
                from actors.process.logbook import report_crash

                report_crash(self._creation, "guard")
            os._exit(INTERNAL)
        theirs.close()
        if self._sock is not None:
            self._sock.close()
        self._sock = ours
        self.pid = pid

    def _become(self, channel: int, anchor: int) -> None:
        """In the child: never returns."""
        os.setsid()
        default_signals()
        for signum in _DEAF_TO:
            signal.signal(signum, signal.SIG_IGN)
        detach_stdio()
        os.dup2(channel, 0)
        for number in self._inherited:
            os.set_inheritable(number, True)
        close_all_but({0, 1, 2, *self._inherited})
        become(self._creation.root, self._creation.id, anchor, self._journal)

    def died(self) -> None:
        """It has been reaped."""
        self.pid = 0

    def fileno(self) -> int:
        """The descriptor whose end of file tells the guard that the anchor is dead."""
        return self._sock.fileno() if self._sock is not None else -1

    def dismiss(self, *, hand_over: bool) -> None:
        """The anchor exits: the guard goes on cancelling, or there is nothing left to do and it ends, too.

        One that the user or root stops, now or in the next moment, would keep the container's lock, and with it the id.
        """
        with contextlib.suppress(OSError):
            if self.pid:
                os.kill(self.pid, signal.SIGCONT if hand_over else signal.SIGKILL)
