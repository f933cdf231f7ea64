"""Requests of the command line against the container's state: what is admitted, refused, answered."""

import pytest

from actors.state.callers import Admission, admit, answer
from proto.errors import LaunchError, SchedulerError, ScrunError, WrongStateError
from proto.life import events as e
from proto.life import requests
from proto.life.container import Container
from proto.life.ending import Ending
from proto.life.journal import Record
from proto.life.lifecycle import replay
from proto.wire.registry import Message
from tests.unit.proto.strategies import CREATION

CREATED = (e.JobRequested("c"), e.JobGranted(4), e.StagedIn("/s", "/s/rootfs", (b"x",)), e.CreateAnswered())
QUEUED = (e.JobRequested("c"), e.JobQueued(4), e.CreateWaitOver(), e.CreateAnswered())
PROMISED = (*QUEUED, e.StartRequested("r1"), e.StartWaitOver())
RUNNING = (*CREATED, e.StartRequested("r1"), e.LaunchRequested(), e.StepStarted("4.0"))
ENDED = (*RUNNING, e.StepEnded(Ending("exited", 7, 0, "")))
STOPPED = (*ENDED, e.OutputDrained(0, 0, 0), e.StagedOut(), e.JobReleased(), e.Finished())


def live(*events: Message) -> Container:
    return replay([Record(0.0, event) for event in (e.CreateBegun(CREATION), *events)])


@pytest.mark.parametrize(
    ("history", "request_", "words"),
    [
        (RUNNING, requests.Start(), "cannot start an already running container"),
        (STOPPED, requests.Start(), "cannot start a container that has stopped"),
        ((), requests.Start(), "still being created"),
        (PROMISED, requests.Start(), "cannot start an already running container"),
        (PROMISED, requests.Delete(), "cannot delete container c1 that is not stopped: running"),
        (STOPPED, requests.Kill(15), "container not running"),
        (RUNNING, requests.Delete(), "cannot delete container c1 that is not stopped: running"),
    ],
)
def test_refusals_have_the_words_that_engines_match(
    history: tuple[Message, ...], request_: requests.Start | requests.Kill | requests.Delete, words: str
) -> None:
    with pytest.raises(WrongStateError, match=words):
        admit(live(*history), request_, "r9")


def test_a_repeated_start_is_admitted_without_a_second_event() -> None:
    assert admit(live(*RUNNING), requests.Start(), "r1") == Admission()


def test_start_is_answered_when_the_program_runs_and_not_before() -> None:
    assert answer(live(*CREATED, e.StartRequested("r1")), requests.Start(), "r1") is False
    assert answer(live(*RUNNING), requests.Start(), "r1") is True


def test_start_is_answered_when_it_has_waited_long_enough() -> None:
    assert answer(live(*PROMISED[:-1]), requests.Start(), "r1") is False
    assert answer(live(*PROMISED), requests.Start(), "r1") is True


def test_a_start_that_fails_says_why_once_nothing_is_left() -> None:
    failed = (*RUNNING[:-1], e.StepEnded(Ending("launch-failed", 125, 0, "the job has expired")))
    assert answer(live(*failed), requests.Start(), "r1") is False
    over = (*failed, e.OutputDrained(0, 0, 0), e.StagedOut(), e.JobReleased(), e.Finished())
    outcome = answer(live(*over), requests.Start(), "r1")
    assert isinstance(outcome, LaunchError)
    assert str(outcome) == "the job has expired"


def test_start_of_a_queued_container_whose_job_is_refused_gives_the_schedulers_words() -> None:
    refused = live(*QUEUED, e.JobEnded(Ending("cancelled", 137, 0, "the job was cancelled", "scheduler")))
    with pytest.raises(SchedulerError, match="the job was cancelled"):
        admit(refused, requests.Start(), "r1")


def test_kill_is_answered_by_its_own_signal_only() -> None:
    container = live(*RUNNING, e.SignalRequested(1, 10, "k1"), e.SignalRequested(2, 12, "k2"), e.SignalDelivered(2))
    assert answer(container, requests.Kill(10), "k1") is False
    assert answer(container, requests.Kill(12), "k2") is True
    failed = answer(live(*RUNNING, e.SignalRequested(1, 10, "k1"), e.SignalFailed(1, "no")), requests.Kill(10), "k1")
    assert isinstance(failed, ScrunError)


def test_a_kill_that_slurm_does_not_take_is_no_failure_for_it_ends_the_container_all_the_same() -> None:
    container = live(*RUNNING, e.SignalRequested(1, 9, "k1"), e.SignalFailed(1, "container not running"))
    assert container.killed
    assert answer(container, requests.Kill(9), "k1") is True


def test_of_window_changes_that_wait_there_is_one() -> None:
    first = (e.SignalRequested(1, 28, "k1"),)
    assert admit(live(*RUNNING, *first), requests.Kill(28), "k2").event == e.SignalRequested(2, 28, "k2")
    waiting = live(*RUNNING, *first, e.SignalRequested(2, 28, "k2"))
    assert admit(waiting, requests.Kill(28), "k3") == Admission()
    assert [answer(waiting, requests.Kill(28), request) for request in ("k1", "k2", "k3")] == [False, False, True]
    assert admit(waiting, requests.Kill(10), "k4").event == e.SignalRequested(3, 10, "k4")


def test_KILL_ends_a_container_whose_output_nobody_reads() -> None:
    assert admit(live(*ENDED), requests.Kill(9), "k1").event == e.CancelRequested("kill", 137, forced=True)
    assert admit(live(*ENDED), requests.Kill(15), "k1") == Admission()


def test_delete_is_answered_when_it_is_over() -> None:
    assert answer(live(*ENDED), requests.Delete(force=True), "d1") is False
    assert answer(live(*STOPPED), requests.Delete(force=True), "d1") is True
