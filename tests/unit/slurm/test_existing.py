"""An allocation that a user names: what squeue says of it, and what is to be said of it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm import existing, step_log, step_options
from actors.slurm.slurm import ONCE, Slurm
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

LIST = """\
9|RUNNING|1|4|0|0|
10|PENDING|2-3|2|0|0|
11|COMPLETED|1|1|0|0|
20|RUNNING|1|1|20|0|
21|RUNNING|2|8|20|1|
nonsense
"""
TWO_PARTS = """\
srun: launching StepId=21.3 on host node2, 1 tasks: 0
srun: launching StepId=21.3 on host node3, 1 tasks: 1
srun: launch/slurm: _task_start: Node node2, 1 tasks started
srun: launch/slurm: _task_start: Node node3, 1 tasks started
"""
OTHER_PART = """\
srun: launching StepId=20.3 on host node1, 1 tasks: 0
srun: launch/slurm: _task_start: Node node1, 1 tasks started
"""


@pytest.mark.parametrize(
    ("job", "options", "words"),
    [
        (9, {}, ""),
        (9, {"nodes": "1-2", "ntasks": "2", "cpus-per-task": "2"}, ""),
        (9, {"nodes": "2"}, "scrun.nodes asks for 2 nodes, and the allocation has 1"),
        (9, {"ntasks": "2", "cpus-per-task": "3"}, "the container asks for 6 CPUs "),
        (9, {"cpus-per-task": "5", "overcommit": "yes"}, ""),
        (9, {"het-group": "0"}, "job 9 is not heterogeneous"),
        (10, {}, "job 10 still waits for its nodes"),
        (11, {}, "job 11 has ended (COMPLETED)"),
        (12, {}, "there is no job 12 of yours (any more)"),
        (20, {}, ""),
        (20, {"nodes": "2"}, "scrun.nodes asks for 2 nodes"),
        (20, {"het-group": "1", "nodes": "2"}, ""),
        (20, {"het-group": "0-1", "nodes": "2"}, "scrun.nodes asks for 2 nodes"),
        (20, {"het-group": "0,2"}, "job 20 has the parts 0 to 1, and scrun.het-group says 0,2"),
        (20, {"het-group": "²"}, "scrun.het-group says ²: parts have numbers"),
        (20, {"het-group": "x"}, "scrun.het-group says x: parts have numbers"),
        (20, {"het-group": "0-99999999"}, "scrun.het-group says 0-99999999: parts have numbers"),
        (21, {}, "job 21 is part 1 of the heterogeneous job 20: say scrun.jobid=20 and scrun.het-group=1"),
    ],
)
def test_what_is_said_of_it(job: int, options: dict[str, str], words: str) -> None:
    sentence = existing.objection(existing.read(LIST, job), job, options)
    assert sentence.startswith(words)
    assert bool(words) == bool(sentence)


def test_all_steps_of_a_part_have_its_word() -> None:
    made = creation(job_id=20, settings__job={"het-group": "1"})
    step = Slurm(made).step(made, 20, "/bundle", (b"true",), terminal=False)
    remote = Slurm(made).remote_command(20, b"true")
    assert b"--het-group=1" in step.argv
    assert b"--het-group=1" in remote.argv
    assert not any(b"het-group" in word for word in Slurm(creation()).remote_command(20, b"true").argv)


def test_a_program_in_several_parts_is_signalled_in_each() -> None:
    assert not step_log.read(TWO_PARTS, 2).started
    news = step_log.read(TWO_PARTS + OTHER_PART, 2)
    assert (news.started, news.step_id, news.nodes) == (True, "20.3,21.3", "node1,node2,node3")
    made = creation(job_id=20, settings__job={"het-group": "0,1"})
    assert Slurm(made).signal(news.step_id, 9).argv[-2:] == (b"20.3", b"21.3")
    assert "--kill-on-bad-exit" in step_options.words(made.settings.job, True, (22, 5))


def test_each_step_is_signalled_once(tmp_path: pathlib.Path) -> None:
    scancel = tmp_path / "scancel"
    scancel.write_text('#!/bin/sh\nread -r once; read -r again; echo "$* $once$again" >&2; [ "$2" != 21.3 ]\n')
    scancel.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", "-c", ONCE, "x", "20.3,21.3,22.3", scancel, "-i"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "-i 20.3 yn\n-i 21.3 yn\n-i 22.3 yn\n")
