"""What ``scrun tap`` makes of what it hears: gaps, lines, and births of directories."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from scrun.tap.births import Births
from scrun.tap.hearing import Gap, Hearing, subscriptions
from scrun.tap.lines import as_json, as_text, gap_body

if TYPE_CHECKING:
    import pathlib


def said(number: int, incarnation: int = 1, **data: Any) -> dict[str, Any]:
    return {"container": "x", "incarnation": incarnation, "number": number, "time": 1.5, "data": data}


def hello(number: int = 1, incarnation: int = 1, **numbers: int) -> dict[str, Any]:
    return said(number, incarnation, numbers={"hello": number, **numbers})


@pytest.fixture
def hearing() -> Hearing:
    """Of somebody who was greeted after two facts."""
    found = Hearing()
    assert found.hear("hello", hello(fact=2)) == []
    return found


@pytest.mark.parametrize(
    ("prefix", "topics"),
    [
        ("", [""]),
        ("fact", ["fact", "hello"]),
        ("fact.allocation.step-ended", ["fact.", "hello"]),
        ("hello", ["hello"]),
    ],
)
def test_whole_layers_are_subscribed_to_and_the_hello(prefix: str, topics: list[str]) -> None:
    assert subscriptions(prefix) == topics


def test_what_follows_the_snapshot_is_no_gap(hearing: Hearing) -> None:
    assert hearing.hear("fact.a.b", said(3)) == []
    assert hearing.hear("note.a.b", said(1)) == []
    assert hearing.hear("fact.a.b", said(4)) == []


def test_what_is_missing(hearing: Hearing) -> None:
    assert hearing.hear("fact.a.b", said(6)) == [Gap("slow", "fact", 3)]
    assert hearing.hear("fact.a.b", said(7)) == []
    assert hearing.hear("intent.a.b", said(2)) == [Gap("slow", "intent", 1)]


def test_a_hello_for_somebody_else_says_what_was_missed_before_it(hearing: Hearing) -> None:
    assert hearing.hear("hello", hello(2, fact=2)) == []
    assert hearing.hear("hello", hello(3, fact=4, note=1)) == [Gap("slow", "fact", 2), Gap("slow", "note", 1)]
    assert hearing.hear("fact.a.b", said(5)) == []


def test_layers_that_are_not_subscribed_to_are_not_missed() -> None:
    hearing = Hearing("fact.a")
    hearing.hear("hello", hello(fact=2, note=7))
    assert hearing.hear("hello", hello(2, fact=2, note=9)) == []
    assert hearing.hear("fact.b.c", said(4)) == [Gap("slow", "fact", 1)]


def test_what_comes_before_the_snapshot_is_in_it() -> None:
    hearing = Hearing()
    assert hearing.hear("fact.a.b", said(7)) == []
    assert hearing.hear("hello", hello(fact=9)) == []
    assert hearing.hear("fact.a.b", said(10)) == []


@pytest.mark.parametrize("number", [1, 3, 9])
def test_another_incarnation_has_numbers_of_its_own(hearing: Hearing, number: int) -> None:
    assert hearing.hear("fact.a.b", said(number, incarnation=2)) == [Gap("replaced")]
    assert hearing.hear("hello", hello(incarnation=2, fact=number)) == []
    assert hearing.hear("fact.a.b", said(number + 1, incarnation=2)) == []


def test_an_id_that_is_used_again_begins_anew(hearing: Hearing) -> None:
    assert hearing.hear("hello", hello(fact=1)) == [Gap("replaced")]
    assert hearing.hear("fact.a.b", said(2)) == []
    assert hearing.hear("fact.a.b", said(2)) == [Gap("replaced")]


def test_a_line_for_people() -> None:
    data: dict[str, Any] = {
        "ending": {"kind": "exited", "exit_code": 7, "signal": 0, "sentence": "it \x1b[2J ended"},
        "created": 1.0,
    }
    line = as_text("fact.a.b", {**said(1, **data), "container": "0123456789abcdef", "time": 59.25})
    clock, *words = line.split("  ")
    assert clock.endswith(":59.250")
    assert words == ["0123456789ab", "fact.a.b", 'kind=exited exit_code=7 sentence="it \\u001b[2J ended"']


def test_of_zeros_only_the_exit_status_is_told() -> None:
    body = said(1, ending={"kind": "exited", "exit_code": 0, "signal": 0}, forced=False, nodes="", argv=[])
    assert as_text("fact.a.b", body).endswith("fact.a.b  kind=exited exit_code=0")


def test_a_gap_is_a_line() -> None:
    body = gap_body(Gap("slow", "fact", 3), "x", 1, 0.0)
    assert as_text("gap", body).endswith("gap  lost 3 of fact: this listener was too slow")
    line = json.loads(as_json("gap", body))
    assert (line["topic"], line["container"], line["data"]) == ("gap", "x", {"why": "slow", "layer": "fact", "lost": 3})


def test_bytes_are_text() -> None:
    assert json.loads(as_json("a", said(1, argv=[b"\xff"])))["data"] == {"argv": ["\\xff"]}


def test_directories_that_are_born(tmp_path: pathlib.Path) -> None:
    births = Births(str(tmp_path))
    assert births.names() == []
    names = ["a", "b" * 255]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name).rmdir()
    assert births.names() == names
    births.close()
    assert births.names() == []


def test_a_directory_that_is_not_there_has_no_births(tmp_path: pathlib.Path) -> None:
    births = Births(str(tmp_path / "none"))
    assert (births.descriptor, births.names()) == (-1, [])
