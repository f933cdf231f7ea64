"""Names of commands: texts in messages, values elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.process.command import CommandName

names = st.builds(CommandName, st.sampled_from(["job", "step", "signal"]), st.lists(st.integers(0, 99)).map(tuple))


@given(names)
def test_a_name_comes_back_from_its_text(name: CommandName) -> None:
    assert CommandName.parse(str(name)) == name


@given(names, st.integers(0, 99))
def test_an_attempt_belongs_to_its_command_and_never_the_other_way_round(name: CommandName, number: int) -> None:
    assert name.is_of(name)
    assert name.numbered(number).is_of(name)
    assert not name.is_of(name.numbered(number))


@pytest.mark.parametrize(("one", "other"), [("step-2", "job"), ("signal-7-1", "signal-70"), ("step-12", "step-1")])
def test_others_do_not(one: str, other: str) -> None:
    assert not CommandName.parse(one).is_of(CommandName.parse(other))


@pytest.mark.parametrize("text", ["step-x", "step-", "signal--1"])
def test_no_name(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        CommandName.parse(text)
