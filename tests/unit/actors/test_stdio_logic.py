"""The stdio actor's logic around its streams: what a drain answers."""

from actors.process.effects import Report, ToAnchor
from actors.process.shell import Received
from actors.stdio.actor import StdioLogic
from proto.life.events import OutputDrained
from proto.life.messages import Close, Drain
from proto.wire.envelope import Envelope


def test_a_container_with_a_terminal_has_nothing_to_drain() -> None:
    # In terminal mode the actor inherits no descriptor at all.
    logic = StdioLogic({})
    drain = Envelope("stdio", "state", Drain("scrun: the time limit was reached"), "1" * 16)
    assert list(logic.handle(Received(drain))) == [
        ToAnchor(Close(("srun-stdin", "srun-stdout", "srun-stderr"))),
        ToAnchor(Close(("stdout", "stderr"))),
        Report(OutputDrained(0, 0, 0), "1" * 16),
    ]
