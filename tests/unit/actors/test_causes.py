"""What led to an event, and what came of it, found in journals of whole lives."""

from __future__ import annotations

from hypothesis import given

from actors.state.causes import ANSWERS, Cause, causes, related
from proto.life import events as e
from proto.life.ending import Ending
from proto.life.journal import Record
from proto.wire.registry import Message, word_of
from tests.unit.docs import markdown
from tests.unit.docs.test_protocol import WORDS
from tests.unit.proto.lives import Life, lives
from tests.unit.proto.strategies import CREATION

EXITED = Ending("exited", 0)
PLAIN = (
    e.CreateBegun(CREATION), e.JobRequested(CREATION.cookie), e.JobQueued(5), e.JobGranted(5),
    e.StagedIn("/b", "/r", ()), e.CreateAnswered(), e.StartRequested("r1"), e.LaunchRequested(), e.StepStarted("5.0"),
    e.SignalRequested(1, 15, "r2"), e.SignalDelivered(1), e.StepEnded(EXITED), e.OutputDrained(0, 0, 0), e.StagedOut(),
    e.JobReleased(), e.Finished(),
)  # fmt: skip


def story(*events: Message) -> dict[str, list[tuple[str, str]]]:
    """Name of each event to the names of its causes, and how they brought it about."""
    found = causes(Record(0.0, event) for event in events)
    names = [type(event).__name__ for event in events]
    return {name: [(names[c.event - 1], c.link) for c in row] for name, row in zip(names, found, strict=True)}


def test_a_life_without_trouble() -> None:
    assert story(*PLAIN) == {
        "CreateBegun": [],
        "JobRequested": [("CreateBegun", "job-requested")],
        "JobQueued": [("JobRequested", "request-job")],
        "JobGranted": [("JobRequested", "request-job")],
        "StagedIn": [("JobGranted", "stage-in")],
        "CreateAnswered": [("StagedIn", "create-answered")],
        "StartRequested": [],
        "LaunchRequested": [("StartRequested", "launch-requested")],
        "StepStarted": [("LaunchRequested", "launch-step")],
        "SignalRequested": [],
        "SignalDelivered": [("SignalRequested", "relay-signal")],
        "StepEnded": [("LaunchRequested", "launch-step")],
        "OutputDrained": [("StepEnded", "drain")],
        "StagedOut": [("OutputDrained", "stage-out")],
        "JobReleased": [("OutputDrained", "release-job")],
        "Finished": [("JobReleased", "finished")],
    }


def test_a_clock_that_strikes_is_a_cause() -> None:
    found = story(*PLAIN[:4], e.CreateWaitOver(), e.CreateAnswered(), e.StartRequested("r1"))
    assert found["CreateWaitOver"] == [("CreateBegun", "create-wait")]
    assert found["CreateAnswered"] == [("CreateWaitOver", "create-answered")]


def test_who_is_ended_has_two_causes() -> None:
    cancel = e.CancelRequested("delete", 137, forced=True)
    found = story(*PLAIN[:9], cancel, e.StepEnded(EXITED))
    assert found["CancelRequested"] == []
    assert found["StepEnded"] == [("LaunchRequested", "launch-step"), ("CancelRequested", "end-step")]


def test_what_comes_late_answers_what_was_wanted_before() -> None:
    found = story(*PLAIN[:4], e.JobEnded(EXITED), PLAIN[4])
    assert found["JobEnded"] == [("JobGranted", "watch-job")]
    assert found["StagedIn"] == [("JobGranted", "stage-in")]


def test_both_ways() -> None:
    found = [(), (Cause(1, "a"),), (), (Cause(2, "b"),), (Cause(3, "c"),), (Cause(4, "d"), Cause(3, "e"))]
    assert related(found, 4) == ({1, 2}, {6})
    assert related(found, 1) == (set(), {2, 4, 6})
    assert related(found, 6) == ({1, 2, 3, 4}, set())


@given(lives())
def test_in_every_life_causes_come_first(life: Life) -> None:
    found = causes(Record(0.0, step.event) for step in life.steps if step.news)
    assert all(cause.event < number for number, row in enumerate(found, 1) for cause in row)
    # Whatever it was that began it, an end has come of something.
    assert all(
        row
        for step, row in zip((s for s in life.steps if s.news), found, strict=True)
        if isinstance(step.event, e.Finished | e.StepStarted | e.StagedIn)
    )


def test_the_facts_are_those_that_the_protocol_says_answer_an_intent() -> None:
    for intent, facts in ANSWERS.items():
        assert set(markdown.spans(WORDS[intent]["answered by"])) == {word_of(fact) for fact in facts}
    assert set(ANSWERS) == {word for word, row in WORDS.items() if "answered by" in row}
