"""The anchor's end of the guard: started first, and again whenever it dies."""

import contextlib
import os
import signal
import socket  # noqa: TC003 - not worth a block of its own
from collections.abc import Sequence

from actors.guard import waiting
from actors.process.forking import pair
from actors.process.spawning import spawn
from proto.life.creation import Creation


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

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: there can be no more processes or descriptors.

        """
        with open(os.devnull, "r+b", buffering=0) as null:
            ours, theirs = pair()
            try:
                for number in self._inherited:
                    os.set_inheritable(number, True)
                words = waiting.words(self._creation.root, self._creation.id, os.getpid(), self._journal)
                environ = (name + b"=" + value for name, value in os.environb.items())
                files = {0: theirs.fileno(), 1: null.fileno(), 2: null.fileno()}
                pid = spawn(words, environ, files, program=waiting.SHELL, session=True)
            except OSError:
                ours.close()
                raise
            finally:
                for number in self._inherited:
                    os.set_inheritable(number, False)
                theirs.close()
        self.incarnation += 1
        if self._sock is not None:
            self._sock.close()
        self._sock = ours
        self.pid = pid

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
