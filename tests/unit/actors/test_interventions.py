"""What somebody at the console may do to an actor: refused where it makes no sense, in words."""

from __future__ import annotations

from typing import get_args

import pytest

from actors.anchor.interventions import ACTIONS
from actors.state.interventions import OF_ALL, check
from proto.errors import UsageError, WrongStateError
from proto.life import events as e
from proto.life import lifecycle, requests, talk
from scrun.console import interventions
from tests.unit.proto.strategies import CREATION

CHILDREN = {
    child.actor: child
    for child in (
        talk.ChildChanged("state", 1, 1, 0, "running"),
        talk.ChildChanged("signals", 2, 1, 0, "running"),
        talk.ChildChanged("stdio", 0, 1, 1, "dead"),
        talk.ChildChanged("staging", 0, 1, 0, "stopped"),
    )
}


def test_client_state_actor_and_anchor_know_the_same_actions() -> None:
    assert set(get_args(requests.Action)) == set(ACTIONS) == {command.name for command in interventions.COMMANDS}
    assert {command.name for command in interventions.COMMANDS if not command.argument} == OF_ALL


@pytest.mark.parametrize(
    "wish",
    [requests.Intervene("hold"), requests.Intervene("restart", "state"), requests.Intervene("restart", "stdio"),
     requests.Intervene("kill", "state"), requests.Intervene("freeze", "signals"),
     requests.Intervene("thaw", "signals"), requests.Intervene("log-level", "staging", "debug2")],
)  # fmt: skip
def test_what_may_be_done(wish: requests.Intervene) -> None:
    check(wish, CHILDREN)


@pytest.mark.parametrize(
    ("wish", "error", "sentence"),
    [
        (requests.Intervene("hold", "state"), UsageError, "hold is about all actors"),
        (
            requests.Intervene("kill", "anchor"),
            UsageError,
            "kill wants the name of an actor: state, signals, stdio, staging",
        ),
        (requests.Intervene("kill"), UsageError, "kill wants the name of an actor"),
        (requests.Intervene("freeze", "state"), UsageError, "state cannot be frozen"),
        (
            requests.Intervene("log-level", "state", "loud"),
            UsageError,
            "there is no log level 'loud'; use one of quiet",
        ),
        (requests.Intervene("log-level", "state"), UsageError, "there is no log level ''"),
        (requests.Intervene("kill", "stdio"), WrongStateError, "stdio is not running: it is dead"),
        (requests.Intervene("restart", "staging"), WrongStateError, "staging is not running: it is stopped"),
    ],
)
def test_what_is_refused(wish: requests.Intervene, error: type[Exception], sentence: str) -> None:
    with pytest.raises(error, match=sentence):
        check(wish, CHILDREN)


def test_it_changes_nothing_of_a_life() -> None:
    container = lifecycle.apply(lifecycle.replay(()), e.CreateBegun(CREATION))
    event = e.Intervened("kill", "stdio", 7, 8, "r1")
    assert not lifecycle.knows(container, event)
    assert lifecycle.apply(container, event) is container
