"""The stdio actor: moves bytes between the engine's descriptors and the step's pipes.

It holds nothing: the anchor keeps every descriptor, and ``splice`` leaves no byte in this process. Killed at
any moment, its replacement goes on where it was.
"""

import os
import select
from collections.abc import Iterable

import zmq

from actors.process.effects import Effect, Later, Report, Tell, Tick, ToAnchor
from actors.process.peer import PeerActor, Received
from actors.process.shell import run
from proto.life import intents, requests, talk
from proto.life.events import OutputDrained
from proto.value import Value
from proto.wire.envelope import Envelope

from . import slurms_words
from .mover import State, Stream

NOTE_EVERY = 1.0
"""Seconds between two reports of the byte counts to the tap, while bytes flow."""
EPITAPH_LIMIT = 4096
"""Bytes that a pipe which is ready for writing takes without blocking (PIPE_BUF)."""
STEPS = 16
"""Chunks that one stream may move before the others get their turn."""
OUTPUT = ("stdout", "stderr")
"""The engine's ends."""
LAUNCHER = ("srun-stdin", "srun-stdout", "srun-stderr")
"""What the anchor keeps for srun. Where no srun was ever started, the far sides would wait for ever."""
POLL_MASKS = ((1, zmq.POLLIN), (4, zmq.POLLOUT))  # poll(2)'s POLLIN and POLLOUT


class Flow(Value):
    """A descriptor of this stream is ready."""

    name: str


class StdioLogic:
    """Which streams there are, and what their ends mean."""

    def __init__(self, descriptors: dict[str, int], moved: dict[str, int] | None = None) -> None:
        """Args:
        descriptors: names to numbers.
        moved: bytes that streams have moved before, by their names.
        """
        self._counts = moved or {}
        self._names = {number: name for name, number in descriptors.items()}
        ends = {
            "stdin": ("stdin", "step-stdin", False, None),
            "stdout": ("step-stdout", "stdout", True, None),
            "stderr": ("step-stderr", "stderr", True, slurms_words.sift),
        }
        self.streams = {
            name: Stream(
                descriptors[source], descriptors[target], name, drain=drain, sift=sift, moved=self._counts.get(name, 0)
            )
            for name, (source, target, drain, sift) in ends.items()
            if source in descriptors and target in descriptors
        }
        self.ended: set[str] = set()
        self.drained = False
        self._draining: str | None = None
        self._epitaph = ""
        self._stderr = descriptors.get("stderr", -1)
        self._noted = self._total()

    def start(self) -> Iterable[Effect]:
        """Nothing: the shell watches the streams."""
        return ()

    def handle(self, event: object) -> Iterable[Effect]:
        """What a stream, the state actor or the clock brings."""
        match event:
            case Flow(name):
                return self._flow(name)
            case Received(envelope) if isinstance(envelope.message, intents.Drain):
                if self._draining is None:
                    self._draining = envelope.id
                    self._epitaph = envelope.message.epitaph
                return [ToAnchor(talk.Close(LAUNCHER)), *self._drained()]
            case Tick("note"):
                return self._note()
            case _:
                return ()

    def rest(self) -> talk.Rest | None:
        """It comes back when a source has something, or a target has gone."""
        flowing = [stream for name, stream in self.streams.items() if name not in self.ended]
        if not all(stream.idle for stream in flowing) or self._noted != self._total():
            return None
        # (a terminal that was opened anew is watched by the descriptor that it was opened from)
        watched = {self._names.get(number, stream.name): mask for stream in flowing for number, mask in stream.wants()}
        return talk.Rest(descriptors=watched, counts=self._moved())

    def _flow(self, name: str) -> list[Effect]:
        stream = self.streams[name]
        before = self._total()
        for _ in range(STEPS):
            moved = stream.step()
            if not moved.count:
                break
        effects: list[Effect] = []
        if self._total() != before and self._noted == before:
            effects.append(Later("note", NOTE_EVERY))
        if stream.state is State.ENDED or (name == "stdin" and stream.state is State.TARGET_GONE):
            stream.close()
            self.ended.add(name)
            # No incarnation can use them any more, and the far side waits for the end of file.
            closing = ("stdin", "step-stdin") if name == "stdin" else (f"step-{name}",)
            effects.append(ToAnchor(talk.Close(closing)))
            effects += self._drained()
        return effects

    def _drained(self) -> list[Effect]:
        flowing = {"stdout", "stderr"} & (self.streams.keys() - self.ended)
        if self._draining is None or flowing:
            return []
        self._write_epitaph()
        self.drained = True
        # The engine's readers see the end now; staging out and giving the job back may take their time.
        return [
            ToAnchor(talk.Close(OUTPUT)),
            Report(OutputDrained(*(self._moved().get(n, 0) for n in ("stdin", "stdout", "stderr"))), self._draining),
        ]

    def _write_epitaph(self) -> None:
        """Tell the container's reader why it ended; a reader that is gone or does not read is not waited for."""
        line, self._epitaph = self._epitaph, ""
        if not line or self._stderr < 0 or self.drained:
            return
        poll = select.poll()
        poll.register(self._stderr, select.POLLOUT)
        if poll.poll(0) == [(self._stderr, select.POLLOUT)]:
            os.write(self._stderr, f"{line}\n".encode()[:EPITAPH_LIMIT])

    def _note(self) -> list[Effect]:
        self._noted = self._total()
        counts = {name: str(count) for name, count in self._moved().items()}
        return [Tell(Envelope("state", "stdio", requests.Note("moved", counts)))]

    def _moved(self) -> dict[str, int]:
        """Bytes of each stream, those of earlier incarnations included."""
        return self._counts | {name: stream.moved for name, stream in self.streams.items()}

    def _total(self) -> int:
        return sum(stream.moved for stream in self.streams.values())


class StdioActor(PeerActor):
    """The shell that watches the streams' descriptors."""

    logic: StdioLogic

    def connect(self) -> None:
        """Begin to watch the streams."""
        self._watched: dict[str, list[tuple[int, int]]] = {}
        super().connect()
        for name in self.logic.streams:
            self._watch(name)

    def on_event(self, event: object) -> None:
        """Watch what the stream wants now."""
        super().on_event(event)
        if isinstance(event, Flow):
            self._watch(event.name)
        if self.logic.drained:
            for name in OUTPUT:
                if (number := self.begin.descriptors.pop(name, None)) is not None:
                    os.close(number)

    def _watch(self, name: str) -> None:
        ended = name in self.logic.ended
        wants = [] if ended else self.logic.streams[name].wants()
        if wants == self._watched.get(name):
            return
        for fd, _ in self._watched.get(name, ()):
            self.inbox.forget(fd)
        self._watched[name] = wants
        for fd, mask in wants:
            events = sum(there for here, there in POLL_MASKS if mask & here) or zmq.POLLERR
            self.inbox.watch(fd, lambda: (Flow(name),), events)
        if ended:
            self._close(name)

    def _close(self, name: str) -> None:
        """Drop this process's copies, or the ends of file never arrive."""
        own = ("stdin", "step-stdin") if name == "stdin" else (f"step-{name}",)
        for descriptor in own:
            os.close(self.begin.descriptors[descriptor])


def main(begin: talk.Begin, channel: int) -> int:
    """Body of the process."""
    return run(StdioActor, begin, channel, StdioLogic(begin.descriptors, begin.counts))
