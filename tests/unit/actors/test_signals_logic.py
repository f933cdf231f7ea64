"""Signals: each is sent once, again only when nobody has got it, and the end of the step is insisted on."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from actors.process.effects import Effect, Later, Log, Never, Report, Tick, ToAnchor
from actors.process.peer import Received
from actors.process.spool import Spool
from actors.signals.actor import AGAIN, ATTEMPTS, INSIST, LONGEST_PAUSE, SignalsLogic
from proto.life import events as e
from proto.life import intents, talk
from proto.wire.envelope import Envelope
from proto.wire.registry import Message
from tests.unit.allocation.slurm_container import SlurmContainer, reports, spawned
from tests.unit.slurm import recorded as said

EXITED_1 = 1 << 8
SUSPENDED = "scancel: error: Kill job error on job step id 5.0: Job step not running\n"
GONE = "scancel: error: Kill job error on job step id 5.0: Invalid job id specified\n"
NO_STEP = "srun: error: Unable to create step for job 5: Requested operation is presently disabled\n"
DEAD_NODE = "scancel: error: Kill job error on job step id 5.0: Communication connection failure\n"


class Post:
    """The logic of the signals actor, and what scancel has said."""

    def __init__(self, path: Path) -> None:
        (path / "oci.conf").write_text('RunTimeRun="exec crun run"\n')
        self.container = SlurmContainer(path)
        self.begin_anew()

    def begin_anew(self) -> None:
        self.logic = SignalsLogic(self.container.creation, self.container.scheduler)
        assert list(self.logic.start()) == []

    def ask(self, message: Message) -> list[Effect]:
        return list(self.logic.handle(Received(Envelope("signals", "state", message, "1" * 16))))

    def relay(self, number: int = 7, signum: int = 10, *, single_node: bool = False) -> list[Effect]:
        return self.ask(intents.RelaySignal(number, signum, "5.0", single_node))

    def ends(self, name: str, text: str, status: int = EXITED_1) -> list[Effect]:
        self.container.say(name, text)
        return list(self.logic.handle(talk.Exited(name, status)))

    def waited(self, name: str) -> list[Effect]:
        return list(self.logic.handle(Tick(name)))

    def kills_program(self, name: str) -> list[Effect]:
        """The first attempt of SIGKILL."""
        delivery = name.rpartition("-")[0]
        command = self.container.scheduler.kill_program("5.0")
        return [Spool(self.container.creation).act(name, command), Later(delivery, INSIST)]

    def scancel(self, name: str, signum: int) -> Effect:
        return Spool(self.container.creation).act(name, self.container.scheduler.signal("5.0", signum))


@pytest.fixture
def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def names(effects: Iterable[Effect]) -> list[str]:
    return list(spawned(effects))


def test_a_signal_is_one_command_however_often_it_is_wanted(post: Post) -> None:
    assert post.relay() == post.relay() == [post.scancel("signal-7-1", 10)]


def test_its_delivery_is_reported(post: Post) -> None:
    post.relay()
    assert post.ends("signal-7-1", "", 0) == [Report(e.SignalDelivered(7))]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [(GONE, "container not running"), (DEAD_NODE, "the signal was not delivered: a node of the step took no")],
)
def test_a_signal_that_somebody_may_have_got_is_not_sent_again(post: Post, text: str, sentence: str) -> None:
    post.relay()
    [failed] = reports(post.ends("signal-7-1", text))
    assert isinstance(failed, e.SignalFailed)
    assert failed.number == 7
    assert failed.sentence.startswith(sentence)


@pytest.mark.parametrize("text", [DEAD_NODE, GONE])
def test_the_only_node_that_refuses_has_heard_nothing(post: Post, text: str) -> None:
    post.relay(single_node=True)
    assert Later("signal-7", 1.0) in post.ends("signal-7-1", text)


@pytest.mark.parametrize("text", [SUSPENDED, NO_STEP, said.NO_SIGNAL])
def test_a_signal_that_nobody_has_got_is_sent_again_after_a_pause_under_a_new_name(post: Post, text: str) -> None:
    post.relay()
    log, later = post.ends("signal-7-1", text)
    assert isinstance(log, Log)
    assert log.text.endswith("; trying again in 1 s")
    assert later == Later("signal-7", 1.0)
    assert post.relay() == []
    assert post.waited("signal-7") == [post.scancel("signal-7-2", 10)]
    assert post.relay() == [post.scancel("signal-7-2", 10)]


def test_the_pauses_grow_and_a_signal_is_never_given_up(post: Post) -> None:
    pauses = []
    post.relay()
    for number in range(1, 50):
        pauses += [v.seconds for v in post.ends(f"signal-7-{number}", SUSPENDED) if isinstance(v, Later)]
        assert names(post.waited("signal-7")) == [f"signal-7-{number + 1}"]
    assert pauses == [min(float(number), LONGEST_PAUSE) for number in range(1, 50)]


def test_while_one_rests_others_go_on(post: Post) -> None:
    post.relay(7)
    post.relay(8)
    post.ends("signal-7-1", SUSPENDED)
    assert names(post.relay(8)) == ["signal-8-1"]
    assert names(post.waited("signal-8")) == ["signal-8-1"]
    assert post.relay(7) == []


def test_an_end_that_is_told_once_more_means_nothing(post: Post) -> None:
    post.relay()
    post.ends("signal-7-1", SUSPENDED)
    assert post.ends("signal-7-1", SUSPENDED) == []
    assert post.ends("signal-9-1", "") == []


def test_a_new_actor_goes_the_way_of_its_predecessor_by_the_names(post: Post) -> None:
    """The anchor starts each name once, and tells how it ended."""
    post.relay()
    post.ends("signal-7-1", SUSPENDED)
    post.waited("signal-7")
    post.begin_anew()
    assert names(post.relay()) == ["signal-7-1"]
    assert Later("signal-7", 1.0) in post.ends("signal-7-1", SUSPENDED)
    assert names(post.waited("signal-7")) == ["signal-7-2"]
    assert post.ends("signal-7-2", "", 0) == [Report(e.SignalDelivered(7))]


# --- SIGKILL: the program alone, so that its runtime sees its end, and then everything ---------------------------


def test_the_program_is_killed_and_then_what_is_left(post: Post) -> None:
    assert post.relay(signum=9) == post.kills_program("signal-7-1")
    assert post.logic.rest() == talk.Rest()
    assert post.ends("signal-7-1", "", 0) == [Report(e.SignalDelivered(7))]
    assert post.logic.rest() is None
    assert post.waited("signal-7") == [post.scancel("signal-7-2", 9)]
    assert post.ends("signal-7-2", "", 0) == []


def test_what_takes_no_signal_yet_is_killed_as_soon_as_it_does(post: Post) -> None:
    post.relay(signum=9)
    post.ends("signal-7-1", "", 0)
    post.waited("signal-7")
    assert Later("signal-7", 2.0) in post.ends("signal-7-2", SUSPENDED)
    assert post.waited("signal-7") == [post.scancel("signal-7-3", 9)]
    assert post.ends("signal-7-3", GONE) == []


def test_a_program_that_cannot_be_killed_alone_is_killed_with_its_step_at_once(post: Post) -> None:
    post.relay(signum=9)
    assert post.ends("signal-7-1", NO_STEP) == [Never("signal-7"), post.scancel("signal-7-2", 9)]
    assert post.ends("signal-7-2", "", 0) == [Report(e.SignalDelivered(7))]


def test_a_plain_step_that_hangs_holds_up_nobody(post: Post) -> None:
    post.relay(signum=9)
    assert post.waited("signal-7") == [post.scancel("signal-7-2", 9)]
    assert post.ends("signal-7-1", "", 0) == []
    assert post.ends("signal-7-2", "", 0) == [Report(e.SignalDelivered(7))]


# --- the end of the step ------------------------------------------------------------------------------------------


def test_a_step_without_a_name_is_ended_by_its_srun(post: Post) -> None:
    term = [ToAnchor(talk.SignalCommand("step", 15)), Later("launcher", AGAIN)]
    for forced in (False, True):
        assert post.ask(intents.EndStep("", forced)) == term
    assert post.waited("launcher") == term


def test_a_step_is_ended_by_term_and_then_by_kill(post: Post) -> None:
    assert post.ask(intents.EndStep("5.0", False)) == [Never("launcher"), post.scancel("end-15-1", 15)]
    assert post.ask(intents.EndStep("5.0", True)) == [Never("launcher"), *post.kills_program("end-9-1")]


def test_an_end_that_slurm_has_taken_is_not_sent_again(post: Post) -> None:
    post.ask(intents.EndStep("5.0", False))
    assert post.ends("end-15-1", "", 0) == []
    assert names(post.ask(intents.EndStep("5.0", False))) == ["end-15-1"]


def test_an_end_that_slurm_has_not_taken_is_sent_again_and_not_for_ever(post: Post) -> None:
    assert names(post.ask(intents.EndStep("5.0", True))) == ["end-9-1"]
    assert post.ends("end-9-1", NO_STEP) == [Never("end-9"), post.scancel("end-9-2", 9)]
    for number in range(2, ATTEMPTS):
        assert post.ends(f"end-9-{number}", GONE) == [Later("end-9", AGAIN)]
        assert names(post.waited("end-9")) == [f"end-9-{number + 1}"]
    assert post.ends(f"end-9-{ATTEMPTS}", GONE) == []
