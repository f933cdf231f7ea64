"""The anchor's news: told in their order, kept while nobody listens, and what may be lost is told to a successor."""

import socket
from collections.abc import Iterator

import pytest

from actors.anchor.outbox import Outbox
from actors.process.channel import Channel
from proto.life import talk
from proto.wire.registry import Message

BORN = talk.ChildChanged("stdio", 7, 1, 0, "running")
GONE = talk.ChildChanged("stdio", 0, 1, 1, "dead", "exit status 70")


class Line:
    """The channel to a state actor."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.near, self.far = Channel(ours, patient=False), Channel(theirs, patient=True)

    def heard(self) -> list[Message]:
        return self.far.receive() or []

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.close()


def test_what_nobody_hears_yet_waits_and_is_told_once_in_its_order(line: Line) -> None:
    news = Outbox()
    news.child(BORN)
    news.interrupted(15)
    news.child(GONE)
    news.tell(None)
    news.tell(line.near)
    news.tell(line.near)
    assert line.heard() == [BORN, talk.Interrupted(15, 1), GONE]


def test_the_same_signal_is_counted(line: Line) -> None:
    news = Outbox()
    for signum in (2, 15, 2):
        news.interrupted(signum)
    news.tell(line.near)
    assert line.heard() == [talk.Interrupted(2, 1), talk.Interrupted(15, 1), talk.Interrupted(2, 2)]


def test_a_successor_hears_of_the_signals_that_the_journal_does_not_have(line: Line) -> None:
    news = Outbox()
    for signum in (2, 15, 2):
        news.interrupted(signum)
    news.tell(line.near)
    line.heard()
    news.heeded(talk.Heeded(2, 1))
    news.begin_anew()
    news.tell(line.near)
    assert line.heard() == [talk.Interrupted(15, 1), talk.Interrupted(2, 2)]


def test_a_successor_hears_no_signal_twice_that_its_predecessor_has_never_heard(line: Line) -> None:
    news = Outbox()
    news.interrupted(15)
    news.for_good(talk.Abandoned())
    news.child(BORN)
    news.begin_anew()
    news.tell(line.near)
    assert line.heard() == [BORN, talk.Interrupted(15, 1), talk.Abandoned()]


def test_the_death_of_create_is_told_to_every_state_actor(line: Line) -> None:
    news = Outbox()
    news.for_good(talk.Abandoned())
    for _ in range(3):
        news.tell(line.near)
        assert line.heard() == [talk.Abandoned()]
        news.begin_anew()


def test_what_a_dying_state_actor_could_not_be_told_is_kept(line: Line) -> None:
    news = Outbox()
    news.child(BORN)
    dead = Line()
    dead.far.close()
    news.tell(dead.near)
    dead.near.close()
    news.tell(line.near)
    assert line.heard() == [BORN]
