"""The staging actor's logic: one piece of work at a time, its outcome as a fact, and an end to what takes too long."""

import contextvars
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.process.effects import Effect, Later, Never, Report, Tick, Work, Worked
from actors.process.peer import Received
from actors.staging.actor import StagingLogic
from actors.staging.bundle import Staged
from actors.staging.progress import LISTENER
from proto.errors import StagingError
from proto.life import events as e
from proto.life import intents, talk
from proto.wire.envelope import Envelope
from tests.unit.creations import creation

IN = intents.StageIn(5, "n1,n2")
OUT = intents.StageOut(5, "n1", "/s", "/s/rootfs", complete=True)
TOO_LONG = "staging took longer than the time limit of 4 s"


class Scribe:
    """A stager that writes down what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def __call__(self, job_id: int, nodes: str) -> "Scribe":
        self.asked.append((job_id, nodes))
        return self

    def stage_in(self) -> Staged:
        self.asked.append("in")
        return Staged("/s", "/s/rootfs", entry=True)

    def stage_out(self, bundle: str, rootfs: str, *, complete: bool) -> None:
        self.asked.append((bundle, rootfs, complete))

    def collect(self) -> None:
        self.asked.append("collect")

    def show_changes(self) -> str:
        return ""


class Yard:
    """The logic, its stager, and how often it has ended its incarnation."""

    def __init__(self, **changes: Any) -> None:
        self.stager = Scribe()
        self.ended = 0
        self.logic = StagingLogic(creation(**changes), self.stager, self._end)
        assert list(self.logic.start()) == []

    def _end(self) -> None:
        self.ended += 1

    def ask(self, task: intents.StageIn | intents.StageOut) -> list[Effect]:
        return list(self.logic.handle(Received(Envelope("staging", "state", task, "1" * 16))))

    def worked(self, name: str, result: object = None, error: BaseException | None = None) -> list[Effect]:
        return list(self.logic.handle(Worked(name, result, error)))


def work(effects: list[Effect], name: str) -> Callable[[], object]:
    """The function of the only piece of work among them; what it says meanwhile is not heard."""
    [found] = [effect for effect in effects if isinstance(effect, Work)]
    assert found.name == name
    return lambda: found.function(lambda _: None)


def test_staging_in_is_begun_once_for_the_job_and_its_nodes() -> None:
    yard = Yard()
    function = work(yard.ask(IN), "stage-in")
    assert yard.ask(IN) == []
    assert function() == Staged("/s", "/s/rootfs", entry=True)
    assert yard.stager.asked == [(5, "n1,n2"), "in"]


def test_staging_out_is_begun_once_with_what_was_staged() -> None:
    yard = Yard()
    work(yard.ask(OUT), "stage-out")()
    assert yard.ask(OUT) == []
    assert yard.stager.asked == [(5, "n1"), ("/s", "/s/rootfs", True)]


@pytest.mark.parametrize(
    ("entry", "argv"), [(True, (b"/dev/.scrun-c00kie", b"/bin/sh", b"/bin/sh")), (False, (b"/bin/sh",))]
)
def test_what_was_staged_is_told_with_the_command_to_launch(*, entry: bool, argv: tuple[bytes, ...]) -> None:
    yard = Yard()
    yard.ask(IN)
    staged = Staged("/s", "/s/rootfs", entry, "one owner")
    assert yard.worked("stage-in", staged) == [Never("limit"), Report(e.StagedIn("/s", "/s/rootfs", argv, "one owner"))]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(StagingError("it is full"), "it is full"), (ValueError("x"), "staging failed: ValueError: x")],
)
def test_a_failure_is_told_in_a_sentence(error: Exception, sentence: str) -> None:
    yard = Yard()
    yard.ask(IN)
    assert yard.worked("stage-in", error=error) == [Never("limit"), Report(e.StagingFailed(sentence))]


def test_the_end_of_staging_out_is_told_well_or_badly() -> None:
    yard = Yard()
    yard.ask(OUT)
    assert yard.worked("stage-out") == [Never("limit"), Report(e.StagedOut())]
    failed = [Never("limit"), Report(e.StagedOut("it is gone"))]
    assert yard.worked("stage-out", error=StagingError("it is gone")) == failed


def test_who_has_staged_in_stages_out_and_nothing_twice() -> None:
    yard = Yard()
    yard.ask(IN)
    assert yard.logic.rest() is None
    yard.worked("stage-in", Staged("/s", "/s/rootfs", entry=True))
    assert yard.logic.rest() == talk.Rest()
    assert yard.ask(IN) == []
    work(yard.ask(OUT), "stage-out")()
    assert yard.logic.rest() is None
    yard.worked("stage-out")
    assert (yard.ask(OUT), yard.ended) == ([], 0)


@pytest.mark.parametrize(("first", "second"), [(IN, OUT), (OUT, IN)])
def test_other_work_ends_this_incarnation_and_is_left_to_the_next(
    first: intents.StageIn | intents.StageOut, second: intents.StageIn | intents.StageOut
) -> None:
    yard = Yard()
    yard.ask(first)
    assert (yard.ask(second), yard.ended) == ([], 1)
    assert len(yard.stager.asked) == 1


def test_without_a_limit_nothing_is_cut_short() -> None:
    assert [type(effect) for effect in Yard().ask(IN)] == [Work]


def test_staging_in_that_takes_too_long_has_failed() -> None:
    yard = Yard(settings__staging__time_limit=4.0)
    assert yard.ask(IN)[1:] == [Later("limit", 4.0)]
    assert list(yard.logic.handle(Tick("limit"))) == [Report(e.StagingFailed(TOO_LONG))]
    assert yard.ended == 0


def test_staging_out_that_takes_too_long_is_cleared_up_without_the_changes() -> None:
    yard = Yard(settings__staging__time_limit=4.0)
    assert yard.ask(OUT)[1:] == [Later("limit", 4.0)]
    work(list(yard.logic.handle(Tick("limit"))), "discard")
    assert yard.worked("discard") == [Report(e.StagedOut(TOO_LONG))]
    assert yard.worked("discard", error=StagingError("it is gone")) == [Report(e.StagedOut("it is gone"))]


@pytest.mark.parametrize(
    ("task", "name", "result", "error"),
    [
        (IN, "stage-in", Staged("/s", "/s/rootfs", entry=True), None),
        (OUT, "stage-out", None, None),
        (OUT, "stage-out", None, StagingError("a directory has gone")),
    ],
)
def test_what_was_cut_short_is_not_heard_of_any_more(
    task: intents.StageIn | intents.StageOut, name: str, result: object, error: BaseException | None
) -> None:
    """Its failure would be told in place of the limit's: clearing up takes away what it works on."""
    yard = Yard(settings__staging__time_limit=4.0)
    yard.ask(task)
    yard.logic.handle(Tick("limit"))
    assert yard.worked(name, result, error) == []


def test_progress_is_a_fact() -> None:
    yard = Yard()
    yard.ask(IN)
    word = e.StagingProgress(1, 2, 3, 4, 5)
    assert list(yard.logic.handle(word)) == [Report(word)]


def test_what_stages_can_tell_how_far_it_is(tmp_path: Path) -> None:
    told: list[object] = []

    class Slow(Scribe):
        def stage_in(self) -> Staged:
            listener = LISTENER.get()
            assert listener is not None
            listener(1, 2, 3, 4, 5)
            return super().stage_in()

    logic = StagingLogic(creation(root=str(tmp_path)), Slow(), lambda: None)
    asked = logic.handle(Received(Envelope("staging", "state", IN, "1" * 16)))
    [found] = [effect for effect in asked if isinstance(effect, Work)]
    contextvars.copy_context().run(found.function, told.append)
    assert told == [e.StagingProgress(1, 2, 3, 4, 5)]
