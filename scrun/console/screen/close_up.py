"""What is known of the one container that is shown: its journal, its log, all that it says, and what its step uses."""

import contextlib
import os

import msgpack
import zmq

from proto.errors import ScrunError
from proto.life.journal import scan
from scrun.report.lines import one_line, printable
from scrun.tap.crowd import NONSENSE
from scrun.tap.lines import clock, said

from .card import Card
from .columns import size
from .rows import Row, expectation
from .timeline import Timeline, read
from .watching import Watching

AT_ONCE = 1000
"""Messages in a second that are looked at, of which the last are shown."""
TAIL = 64 << 10
"""Bytes of the log's end."""
LARGEST = 4 << 20
"""Bytes of a journal that are read."""
LATEST = 1 << 33
"""Seconds since the epoch, in the year 2242: a user may have written any number."""
LONGEST = 1000
"""Characters of a line."""
_WRONG = (ScrunError, RecursionError, OverflowError, IndexError, *NONSENSE)


class CloseUp:
    """One container.

    Attributes:
        timeline: what its journal tells.
        closed: whether it is looked at no longer.

    """

    def __init__(self, watching: Watching, card: Card) -> None:
        """Args:
        watching: what is known of containers.
        card: the one.
        """
        self._watching = watching
        self._card = card
        self._journal = self._log = -1
        self._size = -1
        self._at = 0
        self.timeline: Timeline = read(())
        self.closed = False
        following = watching.roster.following(card.root)
        self._sock: zmq.Socket[bytes] = watching.context.socket(zmq.SUB)
        self._following = watching.roster.crowds.beside(card.root, self._sock)
        if following is not None:
            with contextlib.suppress(OSError):
                self._journal = following.open(card.id, "journal")
                self._log = following.open(card.id, "log")
                self._at = max(0, os.fstat(self._log).st_size - TAIL)

    def look(self) -> None:
        """Begin to listen, if there is something to hear by now, and read the journal if it has grown."""
        if self._card.anchor:
            self._following.begin([self._card.id])
        if self._journal < 0 or os.fstat(self._journal).st_size == self._size:
            return
        self._size = os.fstat(self._journal).st_size
        with contextlib.suppress(*_WRONG):
            records = [record for _, record in scan(os.pread(self._journal, LARGEST, 0))]
            self.timeline = read(record for record in records if 0 <= record.time < LATEST)

    def messages(self) -> list[str]:
        """What it has said since the last call."""
        found = []
        for _ in range(AT_ONCE):
            try:
                topic, frame = self._sock.recv_multipart(zmq.DONTWAIT)
                body = msgpack.unpackb(frame)
                found.append(f"{clock(body['time'])}  {said(topic.decode(errors='replace'), body['data'])}")
            except zmq.Again:
                break
            except _WRONG:
                continue
        return [printable(line[:LONGEST]) for line in found]

    def log(self) -> list[str]:
        """The whole lines that its log has got since the last call; of many the last."""
        if self._log < 0:
            return []
        self._at = max(self._at, os.fstat(self._log).st_size - TAIL)
        data = os.pread(self._log, TAIL, self._at)
        whole = data[: data.rfind(b"\n") + 1]
        self._at += len(whole)
        return [printable(line[:LONGEST]) for line in whole.decode(errors="replace").splitlines()]

    def details(self, row: Row) -> dict[str, str]:
        """What there is to say of the stages."""
        card, container = row.card, self.timeline.container
        found = {"queued": one_line(container.queue_reason), "staging in": one_line(container.progress)}
        if card.phase == "queued":
            found["queued"] = expectation(row)
        if card.phase in {"running", "paused"}:
            rates = (size(meter.rate(row.now)) for meter in (card.received, card.sent))
            found["running"] = "in {}/s, out {}/s".format(*rates) + self._used(card)
        return found

    def end(self) -> str:
        """How it ends, or has ended."""
        ending = self.timeline.container.ending
        if ending is None:
            return ""
        return one_line(f"{ending.kind}, {ending.exit_code}{f': {ending.sentence}' if ending.sentence else ''}")

    def close(self) -> None:
        """Look no longer."""
        self.closed = True
        self._following.close()
        self._sock.close()
        for descriptor in (self._journal, self._log):
            if descriptor >= 0:
                os.close(descriptor)

    def _used(self, card: Card) -> str:
        """What Slurm's last sample says of the program itself."""
        usage = self._watching.used(card)
        if usage is None or usage.memory is None:
            return ""
        seconds = "" if usage.cpu is None else f"CPU {usage.cpu} s, "
        return f"; Slurm: {seconds}{size(usage.memory)}"
