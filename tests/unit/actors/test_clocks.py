"""The clocks: which run in which state, and that each does nothing where its time was up in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from actors.state import clocks
from proto.life import events as e
from proto.life.ending import Ending
from proto.life.journal import Record
from proto.life.lifecycle import replay
from tests.unit.creations import changed
from tests.unit.proto.strategies import CREATION

if TYPE_CHECKING:
    from proto.life.container import Container
    from proto.wire.registry import Message

GRANTED = (e.JobRequested("c"), e.JobGranted(4, "n1"))
CREATED = (*GRANTED, e.StagedIn("/s", "/s/rootfs", (b"x",)), e.CreateAnswered())
WAITING = (e.JobRequested("c"), e.JobQueued(4), e.CreateWaitOver(), e.CreateAnswered(), e.StartRequested("r1"))
RUNNING = (*CREATED, e.StartRequested("r1"), e.LaunchRequested(), e.StepStarted("4.0"))
DRAINED = (*RUNNING, e.StepEnded(Ending("exited", 7, 0, "")), e.OutputDrained(0, 0, 0))
MILD, HARD = (e.CancelRequested("SIGINT", 130, forced=forced) for forced in (False, True))


def live(*events: Message) -> Container:
    return replay([Record(0.0, event) for event in (e.CreateBegun(CREATION), *events)])


@pytest.mark.parametrize(
    ("events", "names"),
    [
        ((), {"create-wait"}),
        ((e.JobRequested("c"),), {"create-wait", "request-limit"}),
        ((e.JobRequested("c"), e.JobQueued(4)), {"create-wait", "queue-wait"}),
        (GRANTED, {"create-wait"}),
        (CREATED, {"start-limit"}),
        (RUNNING, set()),
        ((*RUNNING, e.SignalRequested(1, 15, "r")), set()),
        ((*RUNNING, e.SignalRequested(1, 9, "r")), {"kill-wait"}),
        # Whoever sent it goes on waiting while changes are brought back.
        ((*RUNNING, e.SignalRequested(1, 9, "r"), e.SignalDelivered(1)), {"kill-wait"}),
        ((*RUNNING, e.SignalRequested(1, 9, "r"), e.SignalDelivered(1), *DRAINED[len(RUNNING) :]), {"kill-wait"}),
        ((*RUNNING, MILD), {"grace"}),
        ((*RUNNING, HARD), {"kill-wait"}),
        ((*DRAINED, e.StagedOut()), {"release-wait"}),
        ((*DRAINED, e.StagedOut(), e.JobReleased()), set()),
    ],
)
def test_which_run(events: tuple[Message, ...], names: set[str]) -> None:
    assert set(clocks.running(live(*events), CREATION.settings)) == names
    assert names <= set(clocks.STRIKES)


@pytest.mark.parametrize(
    ("events", "runs"),
    [
        (WAITING[:-1], False),
        (WAITING, True),
        ((*WAITING, e.JobGranted(4)), True),
        ((*WAITING, e.StartWaitOver()), False),
        (RUNNING[:-1], False),
        ((*WAITING, MILD), False),
    ],
)
def test_start_waits_for_ever_unless_it_is_told_otherwise(events: tuple[Message, ...], *, runs: bool) -> None:
    bounded = changed(CREATION.settings, scrun__start_wait=5.0)
    assert clocks.running(live(*events), bounded).get("start-wait") == (5.0 if runs else None)
    assert "start-wait" not in clocks.running(live(*events), CREATION.settings)


@pytest.mark.parametrize(
    ("clock", "events", "happens"),
    [
        ("create-wait", (), e.CreateWaitOver),
        ("request-limit", (e.JobRequested("c"),), e.CancelRequested),
        ("request-limit", (e.JobRequested("c"), e.JobQueued(4)), type(None)),
        ("queue-wait", (e.JobRequested("c"), e.JobQueued(4)), e.CreateWaitOver),
        ("queue-wait", GRANTED, type(None)),
        ("start-limit", CREATED, e.CancelRequested),
        ("start-limit", (*CREATED, e.StartRequested("r1")), type(None)),
        ("start-wait", WAITING, e.StartWaitOver),
        ("start-wait", (*WAITING, e.JobGranted(4)), e.StartWaitOver),
        ("start-wait", RUNNING[:-1], type(None)),
        ("start-wait", (*WAITING, HARD), type(None)),
        ("grace", (*RUNNING, MILD), e.CancelRequested),
        ("kill-wait", (*RUNNING, e.SignalRequested(1, 9, "r")), e.GivenUp),
        ("kill-wait", DRAINED, type(None)),
        ("kill-wait", (*DRAINED, HARD), e.GivenUp),
        ("release-wait", (*DRAINED, e.StagedOut()), e.GivenUp),
        ("release-wait", (*DRAINED, e.StagedOut(), e.JobReleased()), type(None)),
    ],
)
def test_what_happens_when_one_strikes(clock: str, events: tuple[Message, ...], happens: type) -> None:
    assert type(clocks.STRIKES[clock](live(*events))) is happens
