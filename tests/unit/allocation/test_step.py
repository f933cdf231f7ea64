"""The step: launched once, launched again when nobody has heard, and its end explained once.

What an early end with 1 or 2 means is in ``test_runtime_words``.
"""

from pathlib import Path
from typing import Any

import pytest

from actors.allocation.attempts import PAUSES
from actors.allocation.nodes import LOOK
from actors.allocation.step import PIPES, TERMINAL, WHY_AGAIN, WHY_LIMIT, YOUNG, Step
from actors.process.effects import Effect, Later, Log, Never, Report, ToAnchor
from actors.process.spool import Spool
from actors.slurm.step_news import WINDOW_AGAIN
from proto.host import sessions
from proto.life import events as e
from proto.life import talk
from proto.life.ending import Ending
from tests.unit.slurm import recorded as said

from .slurm_container import SlurmContainer, asked, reports, spawned

UNHEARD = "srun: error: Unable to confirm allocation for job 5: Unable to contact slurm controller (connect failure)\n"
ARGV = (b"/dev/.scrun-c00kie", b"/bin/sh", b"sh")
STARTED = e.StepStarted("5.0", "node1")
EXITED_1 = 1 << 8
STOP_LOOKING = [Never("step-log"), Never("step")]


class Launch:
    """A step and the place where srun's words are."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.container = SlurmContainer(path, **changes)
        self.job_said = said.GRANTED
        made = self.container
        self.step = Step(made.creation, made.scheduler, made.step_log, lambda: self.job_said)
        self.stdio = TERMINAL if self.container.creation.terminal else PIPES
        self.let_go = ToAnchor(talk.Close(tuple(self.stdio.values())))

    def say(self, text: str, name: str = "step") -> None:
        self.container.say(name, text)

    def launch(self, *, retry: bool = True) -> list[Effect]:
        return self.step.launch(5, "/bundle", ARGV, retry=retry)

    def srun(self, name: str = "step", log: str = "step-log") -> Effect:
        creation = self.container.creation
        command = self.container.scheduler.step(creation, 5, "/bundle", ARGV, terminal=creation.terminal)
        stdio = {**self.stdio, "2": log}
        return ToAnchor(talk.Spawn(name, command.argv, command.env, "/", stdio, terminal=creation.terminal))

    def ask(self, name: str) -> Effect:
        return Spool(self.container.creation).ask(name, asked(self.container.scheduler.inquire(5)))

    def ends(self, text: str, status: int) -> list[Effect]:
        """It is launched, runs, and ends like this, when it is no longer young."""
        self.launch()
        self.step.grown()
        self.say(text)
        return self.step.exited(status)


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    return Launch(tmp_path)


def test_a_step_is_launched_once_however_often_it_is_wanted(launch: Launch) -> None:
    assert launch.launch() == [launch.srun(), Later("step-log", 0.01)]
    assert launch.launch() == []
    assert launch.launch(retry=False) == []


def test_an_actor_may_go_when_the_step_is_no_longer_young(launch: Launch) -> None:
    """Until then its end may be that of the node's runtime, which a successor could not tell."""
    launch.launch()
    assert launch.step.rest() is None
    launch.step.grown()
    assert launch.step.rest() == talk.Rest()
    launch.step.exited(0)
    assert launch.step.rest() is None


def test_a_successor_may_go_at_once(launch: Launch) -> None:
    launch.step.launch(5, "/bundle", ARGV, retry=True, runs=True)
    assert launch.step.rest() == talk.Rest()


def test_without_srun_the_launch_has_failed_and_nobody_waits_for_output(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "bin/srun").unlink()
    let_go, *others = launch.launch()
    assert let_go == launch.let_go
    [ended] = reports(others)
    assert isinstance(ended, e.StepEnded)
    assert (ended.ending.kind, ended.ending.exit_code) == ("launch-failed", 125)
    assert "srun was not found" in ended.ending.sentence


def test_a_start_is_told_when_all_tasks_run_and_not_before(launch: Launch) -> None:
    launch.launch()
    launch.say(said.TWO_NODES_STARTING)
    [later] = launch.step.look()
    assert later == Later("step-log", 0.01 * 1.125)
    launch.say(said.RUNNING)
    assert launch.step.look() == [launch.let_go, Report(STARTED), Later("grown", YOUNG), Later("nodes", LOOK)]


def test_a_terminal_is_followed_once_its_program_runs_and_told_once_more(tmp_path: Path) -> None:
    launch = Launch(tmp_path, terminal=True)
    assert launch.launch()[0] == launch.srun()
    launch.say(said.RUNNING)
    follow = ToAnchor(talk.FollowWindow())
    assert launch.step.look()[-2:] == [follow, Later("window", WINDOW_AGAIN)]
    assert launch.step.window() == [follow]


def test_a_program_that_ended_by_itself_needs_no_word_of_slurms(launch: Launch) -> None:
    ended = e.StepEnded(Ending("exited", 7, 0, "the program exited with 7"))
    assert launch.ends(said.EXITED_7, 7 << 8) == [
        *STOP_LOOKING, launch.let_go, Report(STARTED), Never("why"), Never("why-again"), Report(ended),
    ]  # fmt: skip


def test_the_end_is_told_once(launch: Launch) -> None:
    launch.ends(said.EXITED_7, 7 << 8)
    assert launch.step.explain(None) == []
    assert reports(launch.step.unexplained()) == []
    assert reports(launch.step.answered("why-1", 0)) == []


# --- why it ended ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(said.JOB_TIMEOUT, "time-limit"), (said.JOB_CANCELLED, "cancelled"), (said.JOB_RUNNING, "signalled")],
)
def test_slurm_is_asked_why_a_program_was_killed(launch: Launch, answer: str, kind: str) -> None:
    effects = launch.ends(said.KILLED, EXITED_1)
    assert effects[-2:] == [Later("why", WHY_LIMIT), launch.ask("why-1")]
    assert reports(effects) == [STARTED]
    launch.say(answer, "why-1")
    [ended] = reports(launch.step.answered("why-1", 0))
    assert isinstance(ended, e.StepEnded)
    assert (ended.ending.kind, ended.ending.exit_code, ended.ending.signal) == (kind, 137, 9)


def test_memory_that_slurm_watches(launch: Launch) -> None:
    launch.ends(said.KILLED, EXITED_1)
    launch.job_said = said.GRANTED + "salloc: Exceeded job memory limit\n"
    launch.say(said.JOB_RUNNING, "why-1")
    [ended] = reports(launch.step.answered("why-1", 0))
    assert isinstance(ended, e.StepEnded)
    assert (ended.ending.kind, ended.ending.exit_code) == ("out-of-memory", 137)


def test_a_controller_that_does_not_answer_is_asked_again(launch: Launch) -> None:
    launch.ends(said.KILLED, EXITED_1)
    assert launch.step.answered("why-1", EXITED_1) == [Later("why-again", WHY_AGAIN)]
    assert launch.step.inquire() == [launch.ask("why-2")]


def test_the_end_does_not_wait_for_its_reason_for_ever(launch: Launch) -> None:
    launch.ends(said.KILLED, EXITED_1)
    launch.step.answered("why-1", EXITED_1)
    effects = launch.step.unexplained()
    assert {Never("why"), Never("why-again")} < set(effects)
    [ended] = reports(effects)
    assert isinstance(ended, e.StepEnded)
    assert (ended.ending.kind, ended.ending.exit_code) == ("signalled", 137)
    assert launch.step.answered("why-1", EXITED_1) == []


def test_words_that_found_no_room_leave_the_exit_status_to_tell(launch: Launch) -> None:
    effects = launch.ends(said.LAUNCHING[:-5], 5 << 8)
    launch.say("", "why-1")
    [ended] = reports(launch.step.answered("why-1", 0))
    assert isinstance(ended, e.StepEnded)
    assert (ended.ending.kind, ended.ending.exit_code) == ("exited", 5)
    assert "why-1" in spawned(effects)


def test_what_comes_before_the_end_of_srun_ends_nothing(launch: Launch) -> None:
    launch.launch()
    launch.say(said.EXITED_7)
    assert reports(launch.step.look()) == [STARTED]
    assert launch.step.explain(None) == []


# --- nobody has heard it --------------------------------------------------------------------------------------


def test_a_launch_that_nobody_heard_is_repeated_under_a_new_name_until_all_pauses_are_over(launch: Launch) -> None:
    launch.launch()
    name = "step"
    for number, pause in enumerate(PAUSES, 2):
        launch.say(UNHEARD, name)
        effects = launch.step.exited(EXITED_1)
        assert [v for v in effects if not isinstance(v, Log)] == [Never("step-log"), Later("step", pause)]
        assert launch.launch() == []
        name = f"step-{number}"
        assert launch.step.next() == [launch.srun(name, launch.container.file(name)), Later("step-log", 0.01)]
        assert launch.step.next() == []
    launch.say(UNHEARD, name)
    effects = launch.step.exited(EXITED_1)
    assert effects[:3] == [*STOP_LOOKING, launch.let_go]
    launch.say("", "why-1")
    [ended] = reports(launch.step.answered("why-1", 0))
    assert isinstance(ended, e.StepEnded)
    assert (ended.ending.kind, ended.ending.exit_code) == ("launch-failed", 125)


def test_a_cancellation_ends_the_waiting_for_the_next_launch_at_once(launch: Launch) -> None:
    launch.launch()
    launch.say(UNHEARD)
    launch.step.exited(EXITED_1)
    effects = launch.launch(retry=False)
    assert effects[:3] == [*STOP_LOOKING, launch.let_go]
    assert spawned(effects).keys() == {"why-1"}
    assert launch.step.next() == []
    assert launch.launch(retry=False) == []


def test_once_it_shall_end_a_launch_that_nobody_heard_is_the_last(launch: Launch) -> None:
    launch.launch()
    launch.launch(retry=False)
    launch.say(UNHEARD)
    assert Later("step", PAUSES[0]) not in launch.step.exited(EXITED_1)


def test_what_a_node_may_have_heard_is_not_launched_again(launch: Launch) -> None:
    launch.launch()
    launch.say(said.LAUNCHING + UNHEARD)
    assert Later("step", PAUSES[0]) not in launch.step.exited(EXITED_1)


def test_the_second_launch_is_read_from_its_own_log(launch: Launch) -> None:
    launch.launch()
    launch.say(UNHEARD)
    launch.step.exited(EXITED_1)
    launch.step.next()
    assert reports(launch.step.look()) == []
    launch.say(said.RUNNING, "step-2")
    assert reports(launch.step.look()) == [STARTED]


# --- a new actor --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [UNHEARD, said.EXITED_7, said.EXITED_7.replace("0x0700", "0x0100"), said.KILLED])
def test_a_new_actor_that_is_told_of_the_end_waits_until_it_knows_what_to_launch(launch: Launch, words: str) -> None:
    """It can neither ask about the job nor probe the bundle, and is told again when it asks for the command."""
    launch.say(words)
    assert launch.step.exited(EXITED_1) == []
    assert launch.launch() == [launch.srun(), Later("step-log", 0.01)]
    assert launch.step.exited(EXITED_1) != []


def test_a_new_actor_tells_the_end_that_its_predecessor_did_not(launch: Launch) -> None:
    launch.say(said.EXITED_7)
    launch.launch()
    ended = e.StepEnded(Ending("exited", 7, 0, "the program exited with 7"))
    assert reports(launch.step.exited(7 << 8)) == [STARTED, ended]


def test_a_new_actor_goes_on_with_a_launch_that_nobody_heard(launch: Launch) -> None:
    launch.say(UNHEARD)
    launch.launch()
    assert Later("step", PAUSES[0]) in launch.step.exited(EXITED_1)


@pytest.mark.parametrize(("state", "kind"), [("closing", "cancelled"), ("active", "signalled"), ("", "signalled")])
def test_the_end_of_the_last_session_is_the_reason(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, kind: str
) -> None:
    monkeypatch.setattr(sessions, "USERS", str(tmp_path))
    if state:
        (tmp_path / str(launch.container.creation.caller.uid)).write_text(f"NAME=alice\nSTATE={state}\nREALTIME=1\n")
    launch.launch()
    effects = [*launch.ends(said.KILLED, 137 << 8), *launch.step.unexplained()]
    [ended] = [event for event in reports(effects) if isinstance(event, e.StepEnded)]
    assert (ended.ending.kind, ended.ending.exit_code) == (kind, 137)
    assert ("enable-linger alice" in ended.ending.sentence) == (state == "closing")


def programs(path: Path, **notes: str) -> str:
    """A directory of a node's programs with these notes in it."""
    for name, text in notes.items():
        file = path / "node" / name.replace("_", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")
    return str(path / "node")


def test_what_a_nodes_program_refuses_is_the_end(launch: Launch, tmp_path: Path) -> None:
    place = programs(tmp_path, refusal="no CDI file of node n1 describes its GPU 2")
    launch.step.launch(7, "/bundle", (b"true",), place, retry=True)
    launch.say(said.EXITED_7)
    [ended] = [each for each in reports(launch.step.exited(EXITED_1)) if isinstance(each, e.StepEnded)]
    assert ended.ending == Ending("launch-failed", 125, 0, "no CDI file of node n1 describes its GPU 2")


def test_a_step_asks_for_all_gpus_of_its_nodes(launch: Launch, tmp_path: Path) -> None:
    spawn = spawned(launch.step.launch(7, "/bundle", (b"true",), programs(tmp_path, gpus_count="8"), retry=True))[
        "step"
    ]
    assert b"--gpus=8" in spawn.argv
