"""The allocation actor's logic: whose each event is, and a whole life from the request to the release."""

import ast
import inspect
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from actors.allocation import job, step
from actors.allocation.actor import AllocationLogic
from actors.process.command import KINDS
from actors.process.effects import Effect, Later, Never, Report, Tick, ToAnchor, Write
from actors.process.peer import Received
from proto.life import events as e
from proto.life import intents, talk
from proto.life.ending import Ending
from proto.wire.envelope import Envelope
from proto.wire.registry import Message
from tests.unit.slurm import recorded as said

from .slurm_container import SlurmContainer, reports, spawned

ARGV = (b"/dev/.scrun-c00kie", b"/bin/sh", b"sh")
UNHEARD = "srun: error: Unable to confirm allocation for job 5: Unable to contact slurm controller (connect failure)\n"
EXITED_1 = 1 << 8


class Bureau:
    """The logic, and what Slurm's commands have said."""

    def __init__(self, path: Path) -> None:
        self.container = SlurmContainer(path)
        self.logic = self.begin()

    def begin(self) -> AllocationLogic:
        of = self.container
        return AllocationLogic(of.creation, of.scheduler, of.job_log, of.step_log)

    def ask(self, message: Message) -> list[Effect]:
        return list(self.logic.handle(Received(Envelope("allocation", "state", message, "1" * 16))))

    def tick(self, name: str) -> list[Effect]:
        return list(self.logic.handle(Tick(name)))

    def ends(self, name: str, text: str, status: int = 0) -> list[Effect]:
        self.container.say(name, text)
        return list(self.logic.handle(talk.Exited(name, status)))


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    return Bureau(tmp_path)


def test_every_command_that_ends_is_of_a_kind_that_is_counted(bureau: Bureau) -> None:
    assert set(KINDS) == {*bureau.logic.ends, "signal", "end"}  # those two are the signals actor's


def names(effects: Iterable[Effect]) -> list[str]:
    return list(spawned(effects))


def test_a_life_from_the_request_to_the_release(bureau: Bureau) -> None:
    assert names(bureau.logic.start()) == ["job"]
    assert names(bureau.ask(intents.RequestJob())) == ["job"]
    bureau.container.say("job", said.GRANTED)
    assert reports(bureau.tick("job-log")) == [e.JobGranted(5)]
    assert bureau.ask(intents.WatchJob(5)) == [Later("watch", job.WATCH)]
    assert names(bureau.tick("watch")) == ["watch-2"]
    assert bureau.ends("watch-2", said.JOB_RUNNING) == []
    assert names(bureau.ask(intents.LaunchStep(5, "/bundle", ARGV))) == ["step"]
    assert bureau.tick("watch") == []  # srun tells now
    bureau.container.say("step", said.RUNNING)
    assert reports(bureau.tick("step-log")) == [e.StepStarted("5.0", "node1")]
    assert bureau.tick("grown") == []
    [_, ended] = reports(bureau.ends("step", said.EXITED_7, 7 << 8))
    assert ended == e.StepEnded(Ending("exited", 7, 0, "the program exited with 7"))
    assert bureau.ask(intents.ReleaseJob(5, 7)) == [Write("hold", b"7\n"), Later("release", job.HOLD_WAIT)]
    assert bureau.ends("job", said.GIVEN_BACK, 7 << 8) == [Never("release"), Report(e.JobReleased())]


def test_a_new_actor_finds_what_its_predecessor_has_begun(bureau: Bureau) -> None:
    bureau.logic.start()
    bureau.container.say("job", said.GRANTED)
    bureau.logic = bureau.begin()
    assert names(bureau.logic.start()) == ["job"]
    assert reports(bureau.logic.handle(talk.Spawned("job", 77))) == [e.JobGranted(5)]
    assert list(bureau.logic.handle(talk.Spawned("job", 0))) == []
    assert list(bureau.logic.handle(talk.Spawned("step", 77))) == []


def test_a_later_attempt_goes_the_way_of_the_first(bureau: Bureau) -> None:
    bureau.ask(intents.RequestJob())
    bureau.ends("job", said.CONTROLLER_DOWN, EXITED_1)
    assert names(bureau.tick("job")) == ["job-2"]
    assert reports(bureau.ends("job-2", said.NO_NODE, EXITED_1)) == [
        e.JobEnded(Ending("refused", 125, 0, "there is no such node", "scheduler"))
    ]
    bureau.ask(intents.LaunchStep(5, "/bundle", ARGV))
    bureau.ends("step", UNHEARD, EXITED_1)
    assert names(bureau.tick("step")) == ["step-2"]
    assert reports(bureau.ends("step-2", said.EXITED_7, 7 << 8))[-1] == e.StepEnded(
        Ending("exited", 7, 0, "the program exited with 7")
    )


def test_the_reason_for_waiting_is_asked_for_and_not_waited_for(bureau: Bureau) -> None:
    bureau.logic.start()
    bureau.container.say("job", said.QUEUED)
    assert names(bureau.logic.handle(talk.Spawned("job", 77))) == ["reason"]
    assert reports(bureau.tick("reason")) == [e.JobQueued(47)]
    assert reports(bureau.ends("reason", said.JOB_UNKNOWN, EXITED_1)) == [e.JobQueued(47)]


def test_the_reason_of_an_end_is_asked_for_again_and_not_waited_for(bureau: Bureau) -> None:
    bureau.ask(intents.LaunchStep(5, "/bundle", ARGV))
    assert names(bureau.ends("step", said.KILLED, 137 << 8)) == ["why-1"]
    assert bureau.ends("why-1", said.NO_SIGNAL, EXITED_1) == [Later("why-again", step.WHY_AGAIN)]
    assert names(bureau.tick("why-again")) == ["why-2"]
    [ended] = reports(bureau.tick("why"))
    assert isinstance(ended, e.StepEnded)
    assert ended.ending.kind == "signalled"


def test_an_early_end_is_probed(bureau: Bureau) -> None:
    bureau.ask(intents.LaunchStep(5, "/bundle", ARGV))
    exited_2 = said.EXITED_7.replace("0x0700", "0x0200")
    assert names(bureau.ends("step", exited_2, 2 << 8)) == ["probe"]
    [ended] = reports(bureau.ends("probe", exited_2, 2 << 8))
    assert isinstance(ended, e.StepEnded)
    assert ended.ending.kind == "launch-failed"
    assert ended.ending.sentence.startswith("node node1 has no oci.conf")


def test_a_job_is_given_back_by_scancel_and_found_by_its_cookie(bureau: Bureau) -> None:
    bureau.logic.start()
    assert names(bureau.ask(intents.ReleaseJob(0, 137))) == ["find-1"]
    assert names(bureau.ends("find-1", "8|RUNNING|scrun:c00kie\n")) == ["release-2"]
    assert bureau.ends("release-2", said.NO_SIGNAL, EXITED_1) == [Later("release", job.RELEASE_PAUSES[1])]
    assert names(bureau.tick("release")) == ["release-3"]
    assert bureau.ends("release-3", "") == [Report(e.JobReleased())]


def test_a_terminal_is_told_its_size_once_more(bureau: Bureau) -> None:
    assert bureau.tick("window") == [ToAnchor(talk.FollowWindow())]


@pytest.mark.parametrize("module", [job, step])
def test_every_clock_that_is_set_is_somebodys(bureau: Bureau, module: ModuleType) -> None:
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
    set_ = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Later"]
    clocks = {name.value for name in set_ if isinstance(name, ast.Constant)}
    assert len(clocks) > 3
    assert len([name for name in set_ if not isinstance(name, ast.Constant)]) == 0
    assert clocks <= bureau.logic._ticks.keys()


def test_what_is_nobodys_does_nothing(bureau: Bureau) -> None:
    assert bureau.tick("repeat") == []
    assert bureau.ask(intents.Drain()) == []
