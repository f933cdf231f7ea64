"""The job: asked for once, asked for again when nobody has heard, watched, and given back whatever happens."""

from pathlib import Path
from typing import Any

import pytest

from actors.allocation.attempts import PAUSES
from actors.allocation.job import HELD, HOLD_WAIT, REASON_LIMIT, RELEASE_PAUSES, WATCH, Job, spawn_of
from actors.process.effects import Effect, Later, Log, Never, Report, ToAnchor, Write
from actors.process.spool import Spool
from proto.life import events as e
from proto.life import talk
from proto.life.ending import Ending
from tests.unit.slurm import recorded as said

from .slurm_container import SlurmContainer, asked, reports, spawned, there

EXITED_1, KILLED = 1 << 8, 9
HELD_BY_SALLOC = ToAnchor(talk.Close((HELD,)))
PENDING = "47|PENDING|Resources||UNLIMITED|N/A|\n"


class Office:
    """A job and the place where Slurm's words about it are."""

    def __init__(self, path: Path, **changes: Any) -> None:
        self.container = SlurmContainer(path, **changes)
        self.job = Job(self.container.creation, self.container.scheduler, self.container.job_log)
        self.spool = Spool(self.container.creation)

    def say(self, text: str, name: str = "job") -> None:
        self.container.say(name, text)

    def salloc(self, name: str = "job", log: str = "job-log") -> Effect:
        command = self.container.scheduler.request(self.container.creation)
        assert command is not None
        return ToAnchor(spawn_of(self.container.creation, command, name, log))

    def ask(self, name: str, job_id: int) -> Effect:
        return self.spool.ask(name, asked(self.container.scheduler.inquire(job_id)))

    def scancel(self, name: str, job_id: int) -> Effect:
        return self.spool.act(name, there(self.container.scheduler.cancel(job_id)))

    def squeue(self, name: str) -> Effect:
        return self.spool.ask(name, asked(self.container.scheduler.find(self.container.creation.cookie)))

    def grant(self) -> None:
        self.job.request()
        self.say(said.GRANTED)
        self.job.look()


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


# --- the request ----------------------------------------------------------------------------------------------


def test_a_request_is_one_command_however_often_it_is_wanted(office: Office) -> None:
    assert office.job.request() == office.job.request() == [office.salloc()]


def test_a_foreign_job_is_granted_at_once_and_never_given_back(tmp_path: Path) -> None:
    job = Office(tmp_path, job_id=9).job
    assert job.request() == [Report(e.JobGranted(9, foreign=True))]
    assert job.begin_release(9, 0) == [Report(e.JobReleased())]


def test_without_salloc_the_request_is_refused_in_a_sentence(office: Office, tmp_path: Path) -> None:
    (tmp_path / "bin/salloc").unlink()
    [refused] = reports(office.job.request())
    assert isinstance(refused, e.JobEnded)
    assert (refused.ending.kind, refused.ending.exit_code, refused.ending.code) == ("refused", 125, "scheduler")
    assert "salloc was not found" in refused.ending.sentence


def test_salloc_is_looked_at_less_and_less_often_as_long_as_it_says_nothing(office: Office) -> None:
    office.job.request()
    pauses = []
    for _ in range(60):
        [effect] = office.job.look()
        assert isinstance(effect, Later)
        assert effect.name == "job-log"
        pauses.append(effect.seconds)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.01, 1.0)


def test_a_grant_is_reported_once_and_salloc_is_heard_on_while_no_step_runs(office: Office) -> None:
    office.job.request()
    office.say(said.GRANTED)
    assert office.job.look() == [HELD_BY_SALLOC, Report(e.JobGranted(5)), Later("job-log", 1.0)]
    assert office.job.look() == [Later("job-log", 1.0)]
    office.job.idle = False
    assert office.job.look() == [Never("job-log")]


def test_a_job_in_the_queue_is_told_once_with_its_reason(office: Office) -> None:
    office.job.request()
    office.say(said.QUEUED)
    first = office.job.look()
    assert first == [Later("job-log", 0.01), office.ask("reason", 47), Later("reason", REASON_LIMIT)]
    assert [type(effect) for effect in office.job.look()] == [Later]
    office.say(PENDING, "reason")
    assert office.job.reason(0) == [Never("reason"), Report(e.JobQueued(47, "Resources"))]


def test_a_job_in_the_queue_is_told_though_slurm_does_not_say_why(office: Office) -> None:
    office.job.request()
    office.say(said.QUEUED)
    office.job.look()
    assert office.job.unexplained() == [Report(e.JobQueued(47))]
    assert office.job.reason(EXITED_1) == [Never("reason"), Report(e.JobQueued(47))]


def test_a_refusal_is_reported_with_slurms_reason(office: Office) -> None:
    office.job.request()
    office.say(said.NO_NODE)
    ended = e.JobEnded(Ending("refused", 125, 0, "there is no such node", "scheduler"))
    assert office.job.exited(EXITED_1) == [Never("job-log"), Never("job"), Report(ended)]


def test_a_job_that_somebody_took_out_of_the_queue_was_cancelled_and_not_refused(office: Office) -> None:
    office.job.request()
    office.say(said.QUEUED)
    office.job.look()
    office.say(said.CANCELLED_WHILE_QUEUED)
    [ended] = reports(office.job.exited(EXITED_1))
    assert ended == e.JobEnded(Ending("cancelled", 137, 0, "the job was cancelled while it was queued", "scheduler"))


# --- nobody has heard it --------------------------------------------------------------------------------------


def test_a_request_that_nobody_heard_is_made_again_under_a_new_name_until_all_pauses_are_over(office: Office) -> None:
    office.job.request()
    name, log = "job", "job-log"
    for number, pause in enumerate(PAUSES, 2):
        office.say(said.CONTROLLER_DOWN, name)
        effects = office.job.exited(EXITED_1)
        assert [effect for effect in effects if not isinstance(effect, Log)] == [Never("job-log"), Later("job", pause)]
        assert office.job.request() == []  # it is waited for
        name = f"job-{number}"
        log = office.container.file(name)
        assert office.job.next() == [office.salloc(name, log)]
        assert office.job.next() == []
    office.say(said.CONTROLLER_DOWN, name)
    [ended] = reports(office.job.exited(EXITED_1))
    assert isinstance(ended, e.JobEnded)
    assert (ended.ending.kind, ended.ending.code) == ("refused", "scheduler-unavailable")


def test_the_second_request_is_read_from_its_own_log(office: Office) -> None:
    office.job.request()
    office.say(said.CONTROLLER_DOWN)
    office.job.exited(EXITED_1)
    office.job.next()
    assert [type(effect) for effect in office.job.look()] == [Later]
    office.say(said.GRANTED, "job-2")
    assert reports(office.job.look()) == [e.JobGranted(5)]


def test_once_create_waits_no_longer_a_request_that_nobody_heard_is_the_last(office: Office) -> None:
    office.job.request()
    office.say(said.CONTROLLER_DOWN)
    office.job.exited(EXITED_1)
    [ended] = reports(office.job.request(retry=False))
    assert isinstance(ended, e.JobEnded)
    assert ended.ending.code == "scheduler-unavailable"
    assert office.job.next() == []


def test_nothing_is_asked_for_again_once_the_job_is_being_given_back(office: Office) -> None:
    office.job.request()
    office.say(said.CONTROLLER_DOWN)
    office.job.exited(EXITED_1)
    office.job.begin_release(0, 137)
    assert office.job.next() == []


def test_a_job_that_has_a_number_is_not_asked_for_again(office: Office) -> None:
    office.job.request()
    office.say(said.QUEUED + said.CONTROLLER_DOWN)
    assert Later("job", PAUSES[0]) not in office.job.exited(EXITED_1)


def test_the_number_of_a_job_is_kept_though_salloc_does_not_name_it(office: Office) -> None:
    office.job.id = 5
    office.job.look()
    assert office.job.begin_release(0, 137) == [office.scancel("release-1", 5)]


def test_a_new_actor_makes_no_request_again_before_it_is_told_that_there_shall_be_a_job(office: Office) -> None:
    """Perhaps it is to be given back, or has been."""
    office.say(said.CONTROLLER_DOWN)
    assert office.job.find() == [office.salloc()]
    assert office.job.exited(EXITED_1) == [Never("job-log")]
    assert office.job.next() == []
    assert office.job.request() == [office.salloc()]
    assert Later("job", PAUSES[0]) in office.job.exited(EXITED_1)


# --- while no step is in it -----------------------------------------------------------------------------------


def test_a_job_is_looked_after_in_turns_and_who_has_not_answered_by_then_is_ended(office: Office) -> None:
    office.grant()
    assert office.job.begin_watch() == [Later("watch", WATCH)]
    assert office.job.begin_watch() == []
    for number in (1, 2, 3):
        last = ToAnchor(talk.SignalCommand(f"watch-{number}", 9))
        assert office.job.watch() == [last, office.ask(f"watch-{number + 1}", 5), Later("watch", WATCH)]


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (said.JOB_RUNNING, 0, None),
        (said.JOB_CANCELLED, 0, "cancelled"),
        (said.JOB_TIMEOUT, 0, "time-limit"),
        (said.NO_SIGNAL, EXITED_1, None),
        ("", 0, "launch-failed"),
    ],
)
def test_only_an_answer_tells_that_a_job_has_gone(office: Office, answer: str, status: int, kind: str | None) -> None:
    office.grant()
    office.job.begin_watch()
    office.job.watch()
    office.say(answer, "watch-2")
    ended = reports(office.job.watched("watch-2", status))
    assert [event.ending.kind for event in ended if isinstance(event, e.JobEnded)] == ([] if kind is None else [kind])


def test_a_revoked_job_is_asked_about_at_once(office: Office) -> None:
    office.grant()
    office.say(said.REVOKED)
    effects = office.job.look()
    assert effects[0] == Never("job-log")
    assert office.ask("watch-1", 5) in effects
    assert reports(effects) == []


@pytest.mark.parametrize("begun", ["a step", "its release"])
def test_the_end_of_a_job_is_no_news_once_something_else_tells(office: Office, begun: str) -> None:
    office.grant()
    office.job.begin_watch()
    office.job.watch()
    office.say(said.JOB_CANCELLED, "watch-2")
    if begun == "a step":
        office.job.idle = False
    else:
        office.job.begin_release(5, 0)
    assert office.job.watched("watch-2", 0) == []
    assert office.job.watch() == []


def test_the_end_of_salloc_is_no_news_while_a_step_runs(office: Office) -> None:
    office.grant()
    office.job.idle = False
    assert office.job.exited(EXITED_1) == []


# --- release --------------------------------------------------------------------------------------------------


def test_a_job_is_given_back_with_the_containers_exit_status(office: Office) -> None:
    office.grant()
    assert office.job.begin_release(5, 7) == [Write("hold", b"7\n"), Later("release", HOLD_WAIT)]
    assert office.job.begin_release(5, 7) == []
    office.say(said.GIVEN_BACK)
    assert office.job.exited(7 << 8) == [Never("release"), Report(e.JobReleased())]
    assert office.job.begin_release(5, 7) == [Report(e.JobReleased())]


def test_a_salloc_that_does_not_end_in_time_has_its_job_cancelled(office: Office) -> None:
    office.grant()
    office.job.begin_release(5, 0)
    assert office.job.release() == [office.scancel("release-2", 5)]
    assert office.job.release_exited("release-2", 0) == [Report(e.JobReleased())]
    assert office.job.release() == [Report(e.JobReleased())]


@pytest.mark.parametrize(("words", "status"), [(said.NOT_GIVEN_BACK, 0), (said.GIVEN_BACK, KILLED), (said.GRANTED, 0)])
def test_a_salloc_that_gave_nothing_back_has_its_job_cancelled(office: Office, words: str, status: int) -> None:
    office.grant()
    office.job.begin_release(5, 0)
    office.say(words)
    assert office.job.exited(status) == [office.scancel("release-2", 5)]


def test_a_cancellation_that_was_not_heard_is_repeated_after_growing_pauses(office: Office) -> None:
    office.grant()
    office.job.exited(KILLED)
    for number in range(1, 9):
        effects = office.job.begin_release(5, 0) if number == 1 else office.job.release()
        assert effects == [office.scancel(f"release-{number}", 5)]
        office.say(said.NO_SIGNAL, f"release-{number}")
        pause = RELEASE_PAUSES[min(number, len(RELEASE_PAUSES)) - 1]
        assert office.job.release_exited(f"release-{number}", EXITED_1) == [Later("release", pause)]
    office.job.release()
    office.say("scancel: error: Kill job error on job id 5: Invalid job id specified\n", "release-9")
    assert reports(office.job.release_exited("release-9", EXITED_1)) == [e.JobReleased()]


def test_a_job_whose_number_nobody_knows_is_found_by_its_cookie(office: Office) -> None:
    office.job.request()
    assert office.job.begin_release(0, 137) == [ToAnchor(talk.SignalCommand("job", 15)), office.squeue("find-1")]
    office.say("3|RUNNING|scrun:other\n8|RUNNING|scrun:c00kie here\n", "find-1")
    assert office.job.found("find-1", 0) == [office.scancel("release-2", 8)]


def test_a_job_that_is_not_found_may_come_as_long_as_salloc_is_there(office: Office) -> None:
    office.job.request()
    office.job.begin_release(0, 137)
    office.say("", "find-1")
    assert office.job.found("find-1", 0) == [Later("release", RELEASE_PAUSES[0])]
    office.say(said.TERMINATED_WHILE_QUEUED)
    office.job.exited(EXITED_1)
    assert office.job.found("find-1", EXITED_1) == [Later("release", RELEASE_PAUSES[0])]
    assert office.job.found("find-1", 0) == [Report(e.JobReleased())]


def test_a_job_whose_number_has_become_known_is_cancelled_by_it_and_not_believed_to_be_missing(office: Office) -> None:
    office.job.request()
    office.job.begin_release(0, 137)
    office.say("", "find-1")
    office.say(said.GRANTED)
    office.job.look()
    office.job.exited(KILLED)
    assert office.job.found("find-1", 0) == [Later("release", RELEASE_PAUSES[1])]
    assert office.job.release() == [office.scancel("release-3", 5)]


def test_a_new_actor_does_not_believe_what_its_predecessor_was_told(office: Office) -> None:
    office.say("", "find-1")
    office.job.request()
    assert office.job.begin_release(0, 137)[1:] == [office.squeue("find-2")]


def test_a_grant_that_comes_while_the_job_is_looked_for_is_given_back_by_its_number(office: Office) -> None:
    office.job.request()
    office.job.begin_release(0, 137)
    office.say(said.GRANTED)
    assert reports(office.job.look()) == [e.JobGranted(5)]
    assert office.job.release() == [office.scancel("release-2", 5)]


def test_a_new_actor_gives_back_what_its_predecessor_was_granted(office: Office) -> None:
    office.grant()
    again = Job(office.container.creation, office.container.scheduler, office.container.job_log)
    assert again.request() == [office.salloc()]
    assert reports(again.look()) == [e.JobGranted(5)]
    assert again.begin_release(5, 0) == [Write("hold", b"0\n"), Later("release", HOLD_WAIT)]
    assert spawned(again.begin_release(5, 0)) == {}
