"""What a signal to the anchor means for the container, and that it means it once."""

from __future__ import annotations

import pytest

from actors.state.interruptions import follows
from proto.exit_codes import INT, INTERRUPTED
from proto.life import events as e
from proto.life.container import Container
from proto.life.ending import Ending
from proto.life.journal import Record
from proto.life.talk import Interrupted

TERM = 15
ENDING = Ending("exited", 0)


def told(*forced: bool) -> list[Record]:
    return [Record(0.0, e.CancelRequested("SIGINT", INTERRUPTED, forced=word)) for word in forced]


def test_a_signal_is_the_programs() -> None:
    wish = follows(Container(signal_count=4), [], Interrupted(TERM, 2, logout=True))
    assert wish == e.SignalRequested(5, TERM, "anchor-15-2", logout=True)


def test_who_ends_is_sent_none() -> None:
    assert follows(Container(ending=ENDING), [], Interrupted(TERM, 1)) is None


@pytest.mark.parametrize(("ending", "forced"), [(None, False), (ENDING, True)])
def test_sigint_cancels_and_the_second_one_without_grace(ending: Ending | None, forced: bool) -> None:
    records = told(False) if forced else []
    wish = follows(Container(ending=ending), records, Interrupted(INT, len(records) + 1))
    assert wish == e.CancelRequested("SIGINT", INTERRUPTED, forced=forced)


@pytest.mark.parametrize("number", [1, 2])
def test_sigint_that_a_predecessor_has_heard_is_old_news(number: int) -> None:
    assert follows(Container(ending=ENDING), told(False, True), Interrupted(INT, number)) is None


def test_a_cancellation_by_others_is_none_of_sigint() -> None:
    records = [Record(0.0, e.CancelRequested("the death of create", INTERRUPTED, forced=True))]
    assert follows(Container(ending=ENDING), records, Interrupted(INT, 1)) is not None
