"""The life cycle, event by event: the ordinary lives go as the documents say."""

import pytest

from proto.life import events as e
from proto.life import intents, lifecycle
from proto.life.container import Container
from proto.life.ending import Ending, EndKind
from proto.life.journal import Record
from proto.life.lifecycle import IllegalEventError, apply, knows, replay
from proto.life.wants import needed, wanted
from proto.wire.registry import Message
from tests.unit.creations import changed

from .strategies import CREATION, EVENTS


def test_every_event_has_a_rule() -> None:
    assert set(lifecycle.RULES) == set(EVENTS)


def live(*events: Message) -> Container:
    return replay([Record(0.0, event) for event in (e.CreateBegun(CREATION), *events)])


GRANTED = (e.JobRequested("c"), e.JobGranted(4, "n1"))
QUEUED = (e.JobRequested("c"), e.JobQueued(4, "Resources"), e.CreateWaitOver(), e.CreateAnswered())
PROMISED = (*QUEUED, e.StartRequested("r1"), e.StartWaitOver())
CREATED = (*GRANTED, e.StagedIn("/s", "/s/rootfs", (b"x",)), e.CreateAnswered())
RUNNING = (*CREATED, e.StartRequested("r1"), e.LaunchRequested(), e.StepStarted("4.0"))


def messages(container: Container) -> list[Message]:
    return [want.message for want in wanted(container)]


def test_an_ordinary_life() -> None:
    assert messages(live()) == [e.JobRequested("c00kie")]
    assert messages(live(e.JobRequested("c"))) == [intents.RequestJob()]
    assert messages(live(*GRANTED)) == [intents.StageIn(4, "n1"), intents.WatchJob(4)]
    assert e.CreateAnswered() in messages(live(*CREATED[:-1]))
    assert live(*CREATED).status == "created"
    assert messages(live(*CREATED, e.StartRequested("r"))) == [intents.WatchJob(4), e.LaunchRequested()]
    assert live(*RUNNING).status == "running"
    ended = live(*RUNNING, e.StepEnded(Ending("exited", 7, 0, "")))
    assert messages(ended) == [intents.Drain()]
    drained = apply(ended, e.OutputDrained(0, 1, 2))
    assert messages(drained) == [intents.StageOut(4, "n1", "/s", "/s/rootfs", complete=True), intents.ReleaseJob(4, 7)]
    out = apply(drained, e.StagedOut())
    assert messages(out) == [intents.ReleaseJob(4, 7)]
    over = apply(out, e.JobReleased())
    assert messages(over) == [e.Finished()]
    assert over.ending is not None
    assert over.ending.exit_code == 7
    assert apply(over, e.Finished()).status == "stopped"


def test_a_script_keeps_the_job_until_it_has_staged_out() -> None:
    creation = changed(CREATION, settings__scrun__lua="/etc/slurm/scrun.lua")
    events = (*RUNNING, e.StepEnded(Ending("exited", 0, 0, "")), e.OutputDrained(0, 0, 0))
    container = replay([Record(0.0, event) for event in (e.CreateBegun(creation), *events)])
    assert messages(container) == [intents.StageOut(4, "n1", "/s", "/s/rootfs", complete=True)]


@pytest.mark.parametrize("gone", [e.JobReleased(), e.JobEnded(Ending("cancelled", 137, 0, "by somebody", "scheduler"))])
def test_what_may_be_staged_is_staged_out_though_its_job_has_gone_first(gone: Message) -> None:
    cancelled = (e.CancelRequested("the death of create", 137, forced=True),) if isinstance(gone, e.JobReleased) else ()
    assert messages(live(*GRANTED, *cancelled, gone)) == [intents.StageOut(4, "n1", "", "", complete=False)]


def test_an_end_that_was_not_the_programs_own_is_told_on_its_stderr() -> None:
    lost = e.StepEnded(Ending("time-limit", 137, 0, "the time limit was reached"))
    assert messages(live(*RUNNING, lost)) == [intents.Drain("scrun: the time limit was reached")]


def test_a_queued_job_lets_create_return_after_a_while() -> None:
    queued = live(e.JobRequested("c"), e.JobQueued(4, "Resources"))
    assert messages(queued) == [intents.RequestJob()]
    assert e.CreateAnswered() in messages(apply(queued, e.CreateWaitOver()))


def test_a_long_staging_lets_create_return_after_a_while_and_start_waits_for_it() -> None:
    staging = live(*GRANTED)
    assert e.CreateAnswered() not in messages(staging)
    staging = apply(staging, e.CreateWaitOver())
    assert messages(staging) == [intents.StageIn(4, "n1"), intents.WatchJob(4), e.CreateAnswered()]
    staging = apply(apply(staging, e.CreateAnswered()), e.StartRequested("r"))
    assert staging.status == "created"
    assert messages(staging) == [intents.StageIn(4, "n1"), intents.WatchJob(4)]
    assert e.LaunchRequested() in messages(apply(staging, e.StagedIn("/s", "/s/rootfs", (b"x",))))


def test_a_job_that_nobody_has_heard_of_keeps_create_waiting() -> None:
    assert e.CreateAnswered() not in messages(live(e.JobRequested("c"), e.CreateWaitOver()))


def test_a_container_whose_start_has_returned_runs_for_the_engine_and_is_launched_when_it_can_be() -> None:
    promised = live(*PROMISED)
    assert promised.status == "running"
    assert messages(promised) == [intents.RequestJob(retry=False)]
    staged = apply(apply(promised, e.JobGranted(4, "n1")), e.StagedIn("/s", "/s/rootfs", (b"x",)))
    assert messages(staged) == [intents.WatchJob(4), e.LaunchRequested()]
    running = apply(apply(staged, e.LaunchRequested()), e.StepStarted("4.0"))
    assert (running.status, messages(running)) == ("running", [intents.LaunchStep(4, "/s", (b"x",), runs=True)])


@pytest.mark.parametrize(
    ("events", "actors"),
    [
        ((), set()),
        (QUEUED, {"allocation"}),
        (CREATED, {"allocation"}),
        ((*CREATED, e.StartRequested("r1"), e.LaunchRequested()), {"allocation", "stdio"}),
        (RUNNING, set()),
        ((*RUNNING, e.SignalRequested(1, 10, "r2")), {"signals"}),
        ((*RUNNING, e.SignalRequested(1, 9, "r2")), {"allocation", "signals", "stdio"}),
        ((*RUNNING, e.CancelRequested("SIGINT", 130)), {"allocation", "signals"}),
        ((*RUNNING, e.StepEnded(Ending("exited", 0, 0, ""))), {"stdio"}),
    ],
)
def test_who_has_something_to_do(events: tuple[Message, ...], actors: set[str]) -> None:
    assert needed(live(*events)) == actors


@pytest.mark.parametrize(
    ("events", "possible"),
    [
        (QUEUED, False),
        ((*QUEUED, e.StartRequested("r1")), True),
        ((*QUEUED, e.StartRequested("r1"), e.JobGranted(4, "n1")), True),
        ((*CREATED, e.StartRequested("r1"), e.LaunchRequested()), False),
        ((*QUEUED, e.StartRequested("r1"), e.CancelRequested("SIGINT", 130)), False),
    ],
)
def test_start_returns_early_only_while_it_waits_for_job_or_staging(
    events: tuple[Message, ...], *, possible: bool
) -> None:
    container = live(*events)
    if possible:
        assert apply(container, e.StartWaitOver()).status == "running"
    elif not knows(container, e.StartWaitOver()):
        with pytest.raises(IllegalEventError):
            apply(container, e.StartWaitOver())


def test_who_was_told_that_it_runs_is_told_on_its_stderr_why_it_never_did() -> None:
    ended = live(*PROMISED, e.JobEnded(Ending("cancelled", 137, 0, "the job was cancelled", "scheduler")))
    assert messages(ended) == [intents.Drain("scrun: the job was cancelled")]
    failed = live(*PROMISED, e.JobGranted(4, "n1"), e.StagingFailed("no such shelf"))
    assert messages(failed) == [intents.Drain("scrun: no such shelf")]
    drained = apply(failed, e.OutputDrained(0, 0, 0))
    assert messages(drained) == [intents.StageOut(4, "n1", "", "", complete=False), intents.ReleaseJob(4, 125)]
    assert drained.status == "running"


@pytest.mark.parametrize("signum", [9, 15])
def test_a_signal_ends_a_container_that_only_seems_to_run(signum: int) -> None:
    container = live(*PROMISED, e.SignalRequested(1, signum, "r"))
    assert messages(container) == [intents.Drain("")]
    assert messages(apply(container, e.OutputDrained(0, 0, 0))) == [intents.ReleaseJob(4, 128 + signum)]


def test_a_job_that_scrun_did_not_make_is_never_released() -> None:
    ended = live(e.JobGranted(4, "n1", foreign=True), e.CancelRequested("delete", 137, forced=True), e.StagedOut())
    assert messages(ended) == [e.Finished()]


@pytest.mark.parametrize(("signum", "ends"), [(15, True), (9, True), (34, True), (17, False), (28, False), (18, False)])
def test_a_signal_before_the_start_does_what_its_default_action_is(signum: int, *, ends: bool) -> None:
    container = live(*CREATED, e.SignalRequested(1, signum, "r"))
    assert (container.ending is not None) == ends
    if container.ending:
        assert container.ending.exit_code == 128 + signum


def test_a_signal_reaches_a_running_program_and_is_wanted_until_delivered() -> None:
    container = live(*RUNNING, e.SignalRequested(1, 10, "r"))
    assert intents.RelaySignal(1, 10, "4.0", single_node=True) in messages(container)
    container = apply(container, e.SignalDelivered(1))
    assert intents.RelaySignal(1, 10, "4.0") not in messages(container)
    assert container.outcomes == (("r", ""),)


def test_signals_reach_the_program_in_their_order_but_nothing_holds_sigkill_up() -> None:
    stop, resume, kill = (
        e.SignalRequested(number, signum, f"r{number}") for number, signum in ((1, 19), (2, 18), (3, 9))
    )
    asked = [
        message.signal for message in messages(live(*RUNNING, stop, resume)) if isinstance(message, intents.RelaySignal)
    ]
    assert asked == [19]
    after = messages(live(*RUNNING, stop, resume, e.SignalDelivered(1)))
    assert [message.signal for message in after if isinstance(message, intents.RelaySignal)] == [18]
    urgent = messages(live(*RUNNING, stop, resume, kill))
    assert [message.signal for message in urgent if isinstance(message, intents.RelaySignal)] == [19, 9]


def test_a_sigkill_hurries_the_end_and_not_what_brings_changes_back() -> None:
    """``podman stop`` sends it after a while: the guard, which goes on, must not cut a long staging out short."""
    killed = live(*RUNNING, e.SignalRequested(1, 9, "r"), e.SignalDelivered(1))
    assert (killed.killed, killed.forced) == (True, False)


def test_the_programs_own_exit_code_wins_over_the_cancellation() -> None:
    container = live(*RUNNING, e.CancelRequested("SIGINT", 130), e.StepEnded(Ending("exited", 5, 0, "")))
    assert container.ending == Ending("cancelled", 5, 0, "cancelled by SIGINT")


def test_a_pause_is_between_the_deliveries_of_stop_and_cont() -> None:
    container = live(*RUNNING, e.SignalRequested(1, 19, "r"))
    assert container.status == "running"
    container = apply(container, e.SignalDelivered(1))
    assert container.status == "paused"
    ended = apply(container, e.StepEnded(Ending("signalled", 137, 9, "")))
    assert ended.status == "running"
    container = apply(apply(container, e.SignalRequested(2, 18, "s")), e.SignalDelivered(2))
    assert container.status == "running"


def test_a_death_that_its_runtime_tells_as_an_exit_code_is_one_by_sigkill_where_that_was_sent() -> None:
    for events, ending in (
        ((), Ending("exited", 137, 0, "x")),
        ((e.SignalRequested(1, 15, "r"),), Ending("exited", 137, 0, "x")),
        ((e.SignalRequested(1, 9, "r"),), Ending("signalled", 137, 9, "the program was ended by SIGKILL")),
    ):
        assert live(*RUNNING, *events, e.StepEnded(Ending("exited", 137, 0, "x"))).ending == ending
    killed = live(*RUNNING, e.SignalRequested(1, 9, "r"), e.StepEnded(Ending("exited", 3, 0, "x")))
    assert killed.ending == Ending("exited", 3, 0, "x")


def test_what_was_killed_and_is_given_up_counts_as_killed() -> None:
    cancelled = (*RUNNING, e.CancelRequested("SIGINT", 130), e.CancelRequested("kill", 137, forced=True))
    assert live(*cancelled, e.GivenUp()).ending == Ending("cancelled", 137, 9, "cancelled by SIGINT")
    ended = (*cancelled, e.StepEnded(Ending("exited", 5, 0, "")))
    assert live(*ended, e.GivenUp()).ending == Ending("cancelled", 5, 0, "cancelled by SIGINT")


def test_a_second_start_is_refused_and_a_repeated_one_is_not() -> None:
    container = live(*CREATED, e.StartRequested("r1"))
    assert knows(container, e.StartRequested("r1"))
    with pytest.raises(IllegalEventError):
        apply(container, e.StartRequested("r2"))


@pytest.mark.parametrize(
    ("kind", "code", "last"),
    [("exited", 1, "scrun: one owner"), ("exited", 0, ""), ("signalled", 137, ""), ("time-limit", 143, "scrun: over")],
)
def test_what_the_image_has_lost_is_said_where_the_program_has_failed(kind: EndKind, code: int, last: str) -> None:
    staged = e.StagedIn("/s", "/s/rootfs", (b"x",), "one owner")
    ended = e.StepEnded(Ending(kind, code, 0, "over" if last.endswith("over") else ""))
    events = (*GRANTED, staged, e.CreateAnswered(), *RUNNING[len(CREATED) :], ended)
    assert messages(live(*events)) == [intents.Drain(last)]


def test_what_is_in_the_way_at_both_ends_is_said_once() -> None:
    failed = (*GRANTED, e.StagingFailed("it is full"))
    for failure, said in (("it is full", "it is full"), ("it is gone", "it is full; it is gone"), ("", "it is full")):
        ending = live(*failed, e.StagedOut(failure)).ending
        assert ending is not None
        assert ending.sentence == said


@pytest.mark.parametrize("kind", ["signalled", "cancelled", "lost", "exited"])
@pytest.mark.parametrize("logout", [True, False])
def test_the_end_of_the_last_session_is_the_reason_also_when_the_user_is_back(kind: EndKind, logout: bool) -> None:
    signal = e.SignalRequested(1, 15, "anchor-15-1", logout)
    ended = live(*RUNNING, signal, e.StepEnded(Ending(kind, 143, 15, "Slurm's sentence"))).ending
    assert ended is not None
    assert ("enable-linger" in ended.sentence) == (logout and kind != "exited")
    assert (ended.kind, ended.exit_code) == ("cancelled" if logout and kind != "exited" else kind, 143)
