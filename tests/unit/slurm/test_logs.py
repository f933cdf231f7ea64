"""Readers of Slurm's words, on recorded words."""

from __future__ import annotations

import pytest

from actors.slurm import job_log, messages, queue_format, step_log
from actors.slurm.ending import explain
from actors.slurm.replies import given_back, not_taken_yet, signal_failure
from actors.slurm.scheduler import JobInfo
from actors.slurm.step_news import StepNews

from . import recorded as said

PODMAN_TRAPS = ("no such file or directory", "permission denied", "operation not permitted", "executable file not")


@pytest.mark.parametrize(
    ("text", "status", "kind", "job_id"),
    [
        ("", None, "none", 0),
        (said.GRANTED, None, "granted", 5),
        (said.GRANTED, 0, "granted", 5),
        (said.GRANTED, 9, "granted", 5),
        (said.REVOKED, None, "revoked", 5),
        (said.REVOKED, 256, "revoked", 5),
        ("salloc: Granted job allocation 5", None, "none", 0),
        (said.QUEUED, None, "queued", 47),
        (said.QUEUED_THEN_GRANTED, 0, "granted", 47),
        (said.CANCELLED_WHILE_QUEUED, 256, "refused", 47),
        (said.TERMINATED_WHILE_QUEUED, 256, "refused", 47),
        (said.QUEUED, 9, "refused", 47),
        (said.NO_CONF, None, "refused", 0),
        ("", 0, "refused", 0),
    ],
)
def test_the_request(text: str, status: int | None, kind: str, job_id: int) -> None:
    news = job_log.read(text, status)
    assert (news.kind, news.job_id) == (kind, job_id)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        (said.GRANTED, False),
        (said.GIVEN_BACK, True),
        (said.NOT_GIVEN_BACK, False),
        (said.REVOKED, False),
    ],
)
def test_whether_salloc_gave_the_job_back(text: str, back: bool) -> None:
    assert given_back(text) is back


def test_why_a_signal_was_not_delivered() -> None:
    assert "controller did not answer" in signal_failure(said.NO_SIGNAL)
    assert signal_failure("scancel: error: Kill job error on job id 7: Invalid job id specified") == (
        "container not running"
    )


@pytest.mark.parametrize("cut", range(0, len(said.QUEUED_THEN_GRANTED), 3))
def test_half_a_line_is_never_taken_for_a_number(cut: int) -> None:
    news = job_log.read(said.QUEUED_THEN_GRANTED[:cut], None)
    assert news.job_id in {0, 47}
    assert news.kind != "refused"


@pytest.mark.parametrize(
    ("text", "words", "transient"),
    [
        (said.NO_PARTITION, "partition", False),
        (said.TOO_MUCH_MEMORY, "no node of the partition", False),
        (said.TOO_MANY_NODES, "more CPUs or nodes", False),
        (said.NO_GRES, "no such gres", False),
        (said.NO_FEATURE, "feature", False),
        (said.NO_RESERVATION, "reservation", False),
        (said.NO_LICENSE, "license", False),
        (said.NO_NODE, "no such node", False),
        (said.BAD_TIME, "--time", False),
        (said.BAD_NUMBER, "--ntasks", False),
        (said.UNKNOWN_OPTION, "--nonsense", False),
        (said.BAD_DEPENDENCY, "depends on", False),
        (said.NO_DIRECTORY, "chdir", False),
        (said.CONTROLLER_DOWN, "slurmctld", True),
        (said.NO_MUNGE, "munge", True),
        (said.NO_SACKD, "sackd did not answer", True),
        (said.NO_CONF, "slurm.conf", False),
        (said.WRONG_UID, "user id", False),
        (said.CANCELLED_WHILE_QUEUED, "cancelled while it was queued", False),
    ],
)
def test_refusals_are_told_in_our_words(text: str, words: str, transient: bool) -> None:
    news = job_log.read(text, 256)
    assert words in news.reason
    assert news.transient is transient
    assert not any(trap in news.reason.lower() for trap in PODMAN_TRAPS)


BROKEN_OFF = (
    "salloc: error: slurm_msg_sendto: address:port=127.0.0.1:6817 msg_type=4001: Unexpected missing socket error\n"
    "salloc: error: Job submit/allocate failed: Unexpected missing socket error\n"
)
UNCONFIRMED = (
    "srun: error: Unable to confirm allocation for job 9: Socket timed out on send/recv operation\n"
    "srun: Check SLURM_JOB_ID environment variable. Expired or invalid job 9\n"
)
LAUNCHED = "srun: launching StepId=9.0 on host node2, 1 tasks: 0\n"
DEAD_NODE = "scancel: error: Kill job error on job step id 19: Communication connection failure\n"
SILENT_NODE = (
    "scancel: error: slurm_receive_msgs: [[localhost]:6919] failed: Socket timed out on send/recv operation\n"
    f"{DEAD_NODE}"
)


@pytest.mark.parametrize(
    ("text", "away"), [(said.CONTROLLER_DOWN, True), (said.NO_MUNGE, True), (BROKEN_OFF, True), (said.NO_NODE, False)]
)
def test_a_request_that_nobody_heard_is_made_again(text: str, away: bool) -> None:
    assert job_log.read(text, 256).away is away


@pytest.mark.parametrize(("text", "away"), [(UNCONFIRMED, True), (LAUNCHED + UNCONFIRMED, False), ("", False)])
def test_a_launch_that_a_node_may_have_heard_is_not_repeated(text: str, away: bool) -> None:
    assert step_log.read(text).away is away


@pytest.mark.parametrize(
    ("text", "single_node", "away"),
    [
        (said.NO_SIGNAL, False, True),
        (SILENT_NODE, True, False),
        (DEAD_NODE, True, True),
        (DEAD_NODE, False, False),
    ],
)
def test_a_signal_that_a_node_may_have_heard_is_not_sent_again(text: str, single_node: bool, away: bool) -> None:
    assert not_taken_yet(text, single_node=single_node) is away


NO_SLURMD = LAUNCHED + (
    "srun: error: Task launch for StepId=9.0 failed on node node2: Communication connection failure\n"
    "srun: error: Application launch failed: Communication connection failure\n"
    "srun: Job step aborted\n"
)


def test_a_node_that_takes_no_launch_is_a_failed_launch_not_the_end_of_a_program() -> None:
    ending = explain(None, step_log.read(NO_SLURMD), 233 << 8)
    assert (ending.kind, ending.exit_code) == ("launch-failed", 125)
    assert ending.sentence.startswith("a node did not answer (Slurm: Task launch")


def test_an_unknown_text_is_passed_on_cleaned() -> None:
    news = job_log.read("salloc: error: The frobnicator said: Permission denied\x1b[31m\n", 256)
    assert news.reason == "Slurm: The frobnicator said: access refused [31m"


def test_every_row_of_the_table_can_win() -> None:
    for saying in messages.TABLE:
        verdict = messages.judge(["error: " + " ".join(saying.marks)])
        assert verdict is not None
        assert verdict.sentence.startswith(saying.sentence), saying.marks


def test_the_step_before_and_after_its_start() -> None:
    assert step_log.read("") == StepNews()
    news = step_log.read(said.LAUNCHING)
    assert (news.started, news.wait_status, news.step_id) == (False, None, "5.0")
    news = step_log.read(said.RUNNING)
    assert (news.started, news.wait_status, news.step_id, news.messages) == (True, None, "5.0", ())


@pytest.mark.parametrize(
    ("text", "wait_status"), [(said.COMPLETED, 0), (said.EXITED_7, 0x700), (said.KILLED, 9), (said.TWO_NODES, 0x300)]
)
def test_the_wait_status_is_the_program_s(text: str, wait_status: int) -> None:
    news = step_log.read(text)
    assert (news.started, news.wait_status, news.failure) == (True, wait_status, "")


def test_newer_versions_say_it_without_a_prefix() -> None:
    text = said.EXITED_7.replace("launch/slurm: _task_finish: ", "").replace("launch/slurm: _task_start: ", "")
    assert step_log.read(text) == step_log.read(said.EXITED_7)


def test_several_nodes_count_once_all_have_started_and_ended() -> None:
    assert not step_log.read(said.TWO_NODES_STARTING).started
    news = step_log.read(said.TWO_NODES_ONE_ENDED)
    assert (news.started, news.wait_status) == (True, None)


def test_a_bundle_that_a_node_does_not_see() -> None:
    news = step_log.read(said.NO_BUNDLE)
    assert not news.started
    assert "does not see the bundle" in news.failure
    assert not any(trap in text.lower() for trap in PODMAN_TRAPS for text in news.messages)


def test_a_plug_in_that_srun_does_not_find() -> None:
    lines = ("error: MPI: Unable to load any plugin", "error: Invalid MPI type 'pmix', --mpi=list for acceptable types")
    news = step_log.read("".join(f"srun: {line}\n" for line in lines))
    assert "(Slurm: Invalid MPI type 'pmix', --mpi=list" in news.failure


def test_memory() -> None:
    text = said.RUNNING + "srun: Received task exit notification for 1 task of StepId=5.0 (status=0x00fd).\n"
    news = step_log.read(text + "srun: error: node1: task 0: Out Of Memory\n")
    assert news.out_of_memory
    ending = explain(None, news, 0)
    assert (ending.kind, ending.exit_code, ending.signal) == ("out-of-memory", 137, 9)


@pytest.mark.parametrize(
    ("job", "step", "status", "kind", "code"),
    [
        (said.JOB_RUNNING, said.COMPLETED, 0, "exited", 0),
        (said.JOB_RUNNING, said.EXITED_7, 7 << 8, "exited", 7),
        (said.JOB_CANCELLED, said.EXITED_7, 7 << 8, "exited", 7),
        (said.JOB_TIMEOUT, said.COMPLETED, 0, "exited", 0),
        (said.JOB_RUNNING, said.KILLED, 137 << 8, "signalled", 137),
        (said.JOB_CANCELLED, said.KILLED, 137 << 8, "cancelled", 137),
        (said.JOB_UNKNOWN, said.KILLED, 137 << 8, "signalled", 137),
        (said.JOB_RUNNING, said.EXITED_7.replace("0x0700", "0x8f00"), 143 << 8, "exited", 143),
        (said.JOB_CANCELLED, said.EXITED_7.replace("0x0700", "0x8f00"), 143 << 8, "cancelled", 143),
        (said.JOB_TIMEOUT, said.EXITED_7.replace("0x0700", "0x8900"), 137 << 8, "time-limit", 137),
        (said.JOB_COMPLETING, said.JOB_ENDED, 0, "cancelled", 137),
        (said.JOB_COMPLETING, said.EXITED_7.replace("0x0700", "0x8f00"), 143 << 8, "cancelled", 143),
        (said.JOB_AT_LIMIT, said.JOB_ENDED, 0, "time-limit", 137),
        (said.JOB_CANCELLED.replace("CANCELLED", "PREEMPTED"), said.JOB_ENDED, 0, "preempted", 137),
        (said.JOB_PREEMPTED, said.KILLED, 137 << 8, "preempted", 137),
        (said.JOB_PREEMPTED, said.EXITED_7, 7 << 8, "exited", 7),
        (said.JOB_CANCELLED.replace("CANCELLED", "NODE_FAIL"), said.JOB_ENDED, 0, "node-failure", 137),
        (said.JOB_UNKNOWN, said.JOB_ENDED, 0, "lost", 137),
        (said.JOB_RUNNING, said.RUNNING, 9, "lost", 137),
        (said.JOB_RUNNING, said.NO_BUNDLE, 130 << 8, "launch-failed", 125),
        (said.JOB_CANCELLED, said.EXPIRED, 1 << 8, "cancelled", 137),
        (said.JOB_UNKNOWN, "", 0, "launch-failed", 125),
    ],
)
def test_the_end_is_explained(job: str, step: str, status: int, kind: str, code: int) -> None:
    ending = explain(queue_format.read_job(job, 5), step_log.read(step), status)
    assert (ending.kind, ending.exit_code) == (kind, code)
    assert ending.sentence or (kind, code) == ("exited", 0)


def test_only_the_job_that_was_asked_about_is_read() -> None:
    info = queue_format.read_job(said.JOB_RUNNING, 5)
    assert info == JobInfo("RUNNING", "", "node1", "UNLIMITED")
    assert queue_format.read_job(said.JOB_RUNNING, 55) is None


def test_what_people_are_told_of_a_job() -> None:
    fields = ("5", "PENDING", "Priority", "(null)", "n[1-2]", "4294901756", "2026-01-02T03:04:05", "N/A", "N/A", "1:00")
    text = "".join(f"{field}|" for field in (*fields, "1:00", "debug", "(null)", "normal", "2", "4", "100M"))
    found = queue_format.read_details(f"CLUSTER: lab\n{text}\n", 5)
    assert found is not None
    assert (found["state"], found["reason"], found["planned nodes"]) == ("PENDING", "Priority", "n[1-2]")
    assert (found["time limit"], found["qos"], found["memory"]) == ("1:00", "normal", "100M")
    assert not {"nodes", "start", "account"} & set(found)
    assert queue_format.read_details(text, 55) is None
    assert queue_format.read_details("slurm_load_jobs error: Invalid job id specified", 5) is None


def test_jobs_are_found() -> None:
    text = "CLUSTER: lab\n5|RUNNING|scrun:abc\n6|PENDING|scrun:abcd\n7|RUNNING|(null)\n8|PENDING|x,scrun:abc\n"
    assert queue_format.read_found(text, "scrun:abc") == [5, 8]


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((0x0300, 0x0500), 0x0500),
        ((0x0500, 0x0300), 0x0500),
        ((0x0000, 0x0100), 0x0100),
        ((0xC800, 0x000F), 0x000F),
        ((0x008B, 0x000B), 0x008B),
        ((0x000F, 0x00FD), 9),
    ],
)
def test_of_several_tasks_the_worst_one_counts(statuses: tuple[int, int], worst: int) -> None:
    finish = "srun: Received task exit notification for 1 task of StepId=56.1 (status=0x{:04x}).\n"
    started = said.TWO_NODES_STARTING + "srun: launch/slurm: _task_start: Node node2, 1 tasks started\n"
    assert step_log.read(started + "".join(map(finish.format, statuses))).wait_status == worst


def test_what_srun_has_ended_because_of_another_does_not_count() -> None:
    assert step_log.read(said.TWO_NODES.replace("0300", "0000")).wait_status == 0x0009
    for killed, wait_status in (("0009", 0x0300), ("8f00", 0x0300), ("8900", 0x0300), ("0500", 0x0500)):
        assert step_log.read(said.TWO_NODES.replace("0009", killed)).wait_status == wait_status
