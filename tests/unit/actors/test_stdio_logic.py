"""The stdio actor's logic around its streams: what their ends and a drain answer."""

import fcntl
import os
import select
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from actors.process.effects import Effect, Later, Report, Tell, Tick, ToAnchor
from actors.process.peer import Received
from actors.stdio.actor import NOTE_EVERY, Flow, StdioLogic
from proto.life.events import OutputDrained
from proto.life.intents import Drain
from proto.life.requests import Note
from proto.life.talk import Close
from proto.wire.envelope import Envelope

LET_GO = ToAnchor(Close(("srun-stdin", "srun-stdout", "srun-stderr")))
HANG_UP = ToAnchor(Close(("stdout", "stderr")))
PAIRS = (("stdin", "step-stdin"), ("step-stdout", "stdout"), ("step-stderr", "stderr"))
"""Where bytes come from and where they go to."""


class Streams:
    """Pipes on both sides of the logic."""

    def __init__(self) -> None:
        inner: dict[str, int] = {}
        self.sources: dict[str, int] = {}
        self.targets: dict[str, int] = {}
        for source, target in PAIRS:
            name = source.removeprefix("step-")
            inner[source], self.sources[name] = os.pipe()
            self.targets[name], inner[target] = os.pipe()
        self.inner = inner
        self.logic = StdioLogic(inner)
        assert list(self.logic.start()) == []

    def flow(self, name: str, data: bytes = b"") -> list[Effect]:
        """The far side has written something."""
        os.write(self.sources[name], data)
        return self._settle(name)

    def end(self, name: str) -> list[Effect]:
        """The far side has closed its end."""
        os.close(self.sources.pop(name))
        return self._settle(name)

    def _settle(self, name: str) -> list[Effect]:
        """What the shell does: tell the logic as long as the stream has what it waits for."""
        effects: list[Effect] = []
        while self._ready(name):
            effects += self.logic.handle(Flow(name))
        return effects

    def _ready(self, name: str) -> bool:
        poll = select.poll()
        for number, mask in () if name in self.logic.ended else self.logic.streams[name].wants():
            poll.register(number, mask)
        return bool(poll.poll(0))

    def drain(self, epitaph: str = "", id_: str = "1" * 16) -> list[Effect]:
        return list(self.logic.handle(Received(Envelope("stdio", "state", Drain(epitaph), id_))))

    def read(self, name: str) -> bytes:
        os.set_blocking(self.targets[name], False)
        try:
            return os.read(self.targets[name], 1 << 16)
        except BlockingIOError:
            return b""


@pytest.fixture
def streams() -> Iterator[Streams]:
    made = Streams()
    yield made
    with ExitStack() as stack:
        for number in (*made.inner.values(), *made.sources.values(), *made.targets.values()):
            stack.callback(os.close, number)


def test_a_container_with_a_terminal_has_nothing_to_drain() -> None:
    # In terminal mode the actor inherits no descriptor at all.
    logic = StdioLogic({})
    drain = Envelope("stdio", "state", Drain("scrun: the time limit was reached"), "1" * 16)
    assert list(logic.handle(Received(drain))) == [LET_GO, HANG_UP, Report(OutputDrained(0, 0, 0), "1" * 16)]


def test_a_drain_is_over_when_both_outputs_have_ended_and_counts_what_went_through(streams: Streams) -> None:
    streams.flow("stdin", b"in")
    streams.flow("stdout", b"output")
    streams.flow("stderr", b"err")
    assert streams.drain() == [LET_GO]
    assert streams.end("stdout") == [ToAnchor(Close(("step-stdout",)))]
    drained = Report(OutputDrained(2, 6, 3), "1" * 16)
    assert streams.end("stderr") == [ToAnchor(Close(("step-stderr",))), HANG_UP, drained]
    assert streams.logic.drained
    assert (streams.read("stdout"), streams.read("stderr")) == (b"output", b"err")


def test_output_that_ends_before_its_drain_is_wanted_is_drained_at_once(streams: Streams) -> None:
    for name in ("stdout", "stderr"):
        assert streams.end(name) == [ToAnchor(Close((f"step-{name}",)))]
    assert streams.drain() == [LET_GO, HANG_UP, Report(OutputDrained(0, 0, 0), "1" * 16)]


def test_a_drain_that_is_wanted_again_is_answered_again_for_the_first(streams: Streams) -> None:
    streams.drain("", "1" * 16)
    assert streams.drain("", "2" * 16) == [LET_GO]
    streams.end("stdout")
    streams.end("stderr")
    assert streams.drain("", "3" * 16)[-1] == Report(OutputDrained(0, 0, 0), "1" * 16)


def test_the_end_of_input_is_passed_on(streams: Streams) -> None:
    assert streams.end("stdin") == [ToAnchor(Close(("stdin", "step-stdin")))]
    assert streams.logic.ended == {"stdin"}


def test_input_that_nobody_reads_any_more_has_ended(streams: Streams) -> None:
    os.close(streams.targets.pop("stdin"))
    assert ToAnchor(Close(("stdin", "step-stdin"))) in streams.flow("stdin", b"more")
    assert streams.logic.ended == {"stdin"}


def test_output_that_nobody_reads_any_more_does_not_stop_the_container(streams: Streams) -> None:
    os.close(streams.targets.pop("stdout"))
    assert streams.flow("stdout", b"lost") == []
    streams.drain()
    streams.end("stdout")
    assert streams.end("stderr")[-1] == Report(OutputDrained(0, 0, 0), "1" * 16)


# --- the last line ------------------------------------------------------------------------------------------------


def test_why_it_ended_is_the_last_line_of_its_standard_error_and_said_once(streams: Streams) -> None:
    streams.flow("stderr", b"oh\n")
    streams.drain("scrun: the time limit was reached")
    streams.end("stdout")
    streams.end("stderr")
    streams.drain("scrun: the time limit was reached")
    assert streams.read("stderr") == b"oh\nscrun: the time limit was reached\n"


def test_a_reader_that_does_not_read_is_not_waited_for(streams: Streams) -> None:
    streams.end("stdout")
    streams.end("stderr")
    size = fcntl.fcntl(streams.inner["stderr"], fcntl.F_GETPIPE_SZ)
    os.write(streams.inner["stderr"], bytes(size))
    assert isinstance(streams.drain("scrun: the time limit was reached")[-1], Report)
    assert streams.read("stderr").strip(b"\0") == b""


def test_a_reader_that_is_gone_is_no_fault(streams: Streams) -> None:
    streams.end("stdout")
    streams.end("stderr")
    os.close(streams.targets.pop("stderr"))
    assert isinstance(streams.drain("scrun: the time limit was reached")[-1], Report)


# --- counts -------------------------------------------------------------------------------------------------------


def test_counts_are_told_now_and_then_while_bytes_flow_and_not_otherwise(streams: Streams) -> None:
    assert streams.flow("stdout", b"some") == [Later("note", NOTE_EVERY)]
    assert streams.flow("stdout", b" more") == []
    counts = {"stdin": "0", "stdout": "9", "stderr": "0"}
    [tell] = list(streams.logic.handle(Tick("note")))
    assert isinstance(tell, Tell)
    assert tell.envelope.message == Note("moved", counts)
    assert streams.flow("stdout") == []
    assert streams.flow("stderr", b"x") == [Later("note", NOTE_EVERY)]
