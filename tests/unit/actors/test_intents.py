"""Intents: sent once to whoever hears them, again to whoever does not, and never when they are not wanted."""

import pytest

from actors.state.intents import PAUSES, Intents
from proto.life import intents
from proto.life.wants import Want

DRAIN = Want("stdio", intents.Drain())
RELEASE = Want("allocation", intents.ReleaseJob(5, 0))


class Desk:
    """Intents with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0
        self.present = {"stdio", "allocation"}
        self.intents = Intents(lambda: self.now)

    def send(self, *wanted: Want) -> list[Want]:
        due = self.intents.due(wanted, self.present)
        for want in due:
            self.intents.sent(want, want.actor)
        return due


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_what_is_wanted_is_sent_at_once_and_once(desk: Desk) -> None:
    assert desk.send(DRAIN, RELEASE) == [DRAIN, RELEASE]
    assert desk.send(DRAIN, RELEASE) == []


def test_what_was_heard_is_never_sent_again_and_nothing_is_waited_for(desk: Desk) -> None:
    desk.send(DRAIN)
    desk.intents.heard(DRAIN.actor)
    assert desk.intents.patience() is None
    desk.now += 1e6
    assert desk.send(DRAIN) == []


def test_what_was_not_heard_is_sent_again_after_pauses_that_grow(desk: Desk) -> None:
    desk.send(DRAIN)
    for pause in (*PAUSES, PAUSES[-1], PAUSES[-1]):
        assert desk.intents.patience() == pytest.approx(pause)
        desk.now += pause / 2
        assert desk.send(DRAIN) == []
        desk.now += pause / 2
        assert desk.send(DRAIN) == [DRAIN]


def test_each_waits_for_its_own_word(desk: Desk) -> None:
    desk.send(DRAIN, RELEASE)
    desk.intents.heard(DRAIN.actor)
    desk.now += PAUSES[0]
    assert desk.send(DRAIN, RELEASE) == [RELEASE]


def test_a_word_about_something_else_acknowledges_nothing(desk: Desk) -> None:
    desk.send(DRAIN)
    desk.intents.heard("another message")
    desk.intents.heard(None)
    desk.now += PAUSES[0]
    assert desk.send(DRAIN) == [DRAIN]


def test_a_new_incarnation_is_asked_for_all_that_is_wanted_of_it(desk: Desk) -> None:
    desk.send(DRAIN, RELEASE)
    desk.intents.heard(DRAIN.actor)
    desk.intents.heard(RELEASE.actor)
    desk.intents.forget("stdio")
    assert desk.send(DRAIN, RELEASE) == [DRAIN]


def test_what_is_wanted_once_more_is_sent_once_more(desk: Desk) -> None:
    desk.send(DRAIN)
    desk.intents.heard(DRAIN.actor)
    assert desk.send() == []
    assert desk.send(DRAIN) == [DRAIN]


def test_what_is_not_wanted_any_more_is_not_waited_for(desk: Desk) -> None:
    desk.send(DRAIN)
    assert desk.send() == []
    assert desk.intents.patience() is None


def test_who_rests_is_asked_when_he_is_back_and_not_before(desk: Desk) -> None:
    desk.present = {"stdio"}
    assert desk.send(DRAIN, RELEASE) == [DRAIN]
    desk.intents.heard(DRAIN.actor)
    assert desk.intents.patience() is None
    desk.present = {"allocation"}
    assert desk.send(DRAIN, RELEASE) == [RELEASE]
