"""The container's book: its journal, and ``state.json``, which is written out of it; on a disk that may fail.

What cannot be written down has not been heard: nothing follows from it, and it is told again. So a file system that
is full for a while costs time, and loses nothing. One that will take nothing any more is not waited for: the container
goes on without its journal, which ends where it is whole.
"""

import errno
import time
from collections.abc import Callable

from actors.process.logbook import Logbook
from proto.errors import StorageError, unwritable
from proto.exit_codes import KILL
from proto.host.paths import ContainerPaths, fd_path
from proto.life import events as e
from proto.life import state_file
from proto.life.container import Container
from proto.life.journal import ROOM, Journal, Record, pack
from proto.life.talk import Begin
from proto.wire.registry import Message

FOR_GOOD = frozenset({errno.EROFS, errno.EIO, errno.ESTALE})
"""Errors of a disk, or of a mount, that waiting does not mend: the kernel makes a file system read-only on damage."""


class Recorder:
    """What the state actor writes, and only it."""

    def __init__(self, begin: Begin, log: Logbook, journal: Callable[[str], Journal] = Journal) -> None:
        """Args:
        begin: what the state actor was told at its birth.
        log: the state actor's.
        journal: opens the journal at a path.
        """
        self._paths = ContainerPaths(begin.creation.root, begin.creation.id)
        self._anchor = begin.anchor
        self._started = state_file.start_time(begin.anchor)
        self._log = log
        self._failing: set[str] = set()
        self._lost = False
        self._shown = ""
        # Not by its path: the directory may be gone by the time in which an actor is replaced.
        self._journal = journal(fd_path(begin.descriptors["journal"]))
        self.records = self._journal.records

    def note(self, event: Message) -> None:
        """Write an event into the journal, or keep it in memory if there will never be a place for it.

        Raises:
            StorageError: it is not in the journal, and may be told again.

        """
        if self._lost:
            self.records.append(Record(time.time(), event))
            return
        try:
            # What is reserved is for the container's end, and of these there may be any number.
            if isinstance(event, e.SignalRequested) and event.signal != KILL:
                self._journal.reserve()
            elif isinstance(event, e.Intervened):
                self._journal.reserve(ROOM + len(pack(event, time.time())))
            self._journal.append(event)
        except OSError as error:
            failure = self._failed("journal", error)
            if error.errno not in FOR_GOOD:
                raise failure from None
            self._lost = True  # also if the disk comes back: a record that is missing would make nonsense of the next
            self.note(event)
        else:
            self._failing.discard("journal")

    def show(self, container: Container) -> bool:
        """Write ``state.json`` if there is something new in it, as half of the events bring; whether it is there."""
        text = state_file.render(container, self._anchor, self._started)
        if text == self._shown:
            return True
        try:
            state_file.write(self._paths, text, last=container.finished)
        except OSError as error:
            self._failed("state", error)
            return False
        self._failing.discard("state")
        self._shown = text
        return True

    def _failed(self, what: str, error: OSError) -> StorageError:
        """The error in words, which are also logged, once for each time of trouble."""
        failure = unwritable(self._paths.root, error)
        if what not in self._failing:
            self._log.write("error", failure.sentence)
        self._failing.add(what)
        return failure
