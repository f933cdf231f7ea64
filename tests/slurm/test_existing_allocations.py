"""Containers in allocations that are there: heterogeneous ones, and those that cannot be had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.slurm.allocations import allocation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Runner
    from tests.slurm.runtime import Runtime


@pytest.fixture
def heterogeneous(runtime: Runtime) -> Iterator[int]:
    with allocation(runtime.runner, runtime.directory.name, "--nodelist=node1", ":", "--nodelist=node2") as job:
        yield job


def test_the_option_goes_before_the_variable(runtime: Runtime) -> None:
    with allocation(runtime.runner, runtime.directory.name) as job:
        box = runtime.running(
            "/bin/sh", "-c", "echo $SLURM_JOB_ID", annotations={"scrun.jobid": str(job)}, environ={"SLURM_JOB_ID": "7"}
        )
        assert (box.wait(), box.read()) == (0, f"{job}\n")
        again = runtime.box("/bin/true", environ={"SCRUN_JOBID": str(job)})
        assert again.job() == job
        runtime.ok("delete", "--force", again.id)
        assert runtime.job_state(job) == "RUNNING"


@pytest.mark.parametrize(("group", "node"), [("", "node1"), ("0", "node1"), ("1", "node2")])
def test_a_part_of_a_heterogeneous_one(runtime: Runtime, heterogeneous: int, group: str, node: str) -> None:
    annotations = {"scrun.jobid": str(heterogeneous), "scrun.het-group": group}
    script = "echo $SLURM_STEP_NODELIST; trap 'exit 5' TERM; while :; do sleep 0.1; done"
    box = runtime.running("/bin/sh", "-c", script, annotations=annotations)
    assert box.read_line() == node
    done = runtime("exec", box.id, "/bin/echo", "hello")
    assert (done.stdout, done.stderr) == ("hello\n", "")
    runtime.ok("kill", box.id, "TERM")
    assert box.wait() == 5
    assert runtime.job_state(heterogeneous) == "RUNNING"


def test_several_parts_of_it(runtime: Runtime, heterogeneous: int) -> None:
    annotations = {"scrun.jobid": str(heterogeneous), "scrun.het-group": "0+1", "scrun.kill-on-bad-exit": "no"}
    script = "trap 'exit 5' TERM; echo $SLURMD_NODENAME; while :; do sleep 0.1; done"
    box = runtime.running("/bin/sh", "-c", script, annotations=annotations)
    assert sorted(box.read_line() for _ in range(2)) == ["node1", "node2"]
    done = runtime("exec", box.id, "/bin/echo", "hello")
    assert (done.stdout, done.stderr) == ("hello\n", "")
    runtime.ok("kill", box.id, "TERM")
    assert box.wait() == 5


def test_one_of_its_other_numbers(runtime: Runtime, heterogeneous: int) -> None:
    sentence = refused(runtime, {"scrun.jobid": str(heterogeneous + 1)})
    assert f"say scrun.jobid={heterogeneous} and scrun.het-group=1" in sentence


def refused(runtime: Runtime, annotations: dict[str, str]) -> str:
    bundle = runtime.bundle("/bin/true", annotations=annotations)
    sentence = runtime.fails("create", "--bundle", str(bundle), "refused")
    assert runtime.left("refused") == []
    return sentence


def test_those_that_cannot_be_had(runtime: Runtime, as_root: Runner) -> None:
    runner, name = runtime.runner, runtime.directory.name
    with allocation(runner, name, "--nodes=1") as job:
        mine = {"scrun.jobid": str(job)}
        assert refused(runtime, mine | {"scrun.nodes": "2"}).endswith(
            "scrun.nodes asks for 2 nodes, and the allocation has 1"
        )
        assert "the container asks for 64 CPUs" in refused(runtime, mine | {"scrun.cpus-per-task": "64"})
        assert refused(runtime, mine | {"scrun.het-group": "0"}).endswith(
            "is not heterogeneous, so it has no scrun.het-group"
        )
    assert refused(runtime, mine).endswith(f"job {job} has ended (CANCELLED)")
    assert "there is no job 4294967 of yours" in refused(runtime, {"scrun.jobid": "4294967"})
    assert "scrun.jobid is no job id: '0'" in refused(runtime, {"scrun.jobid": "0"})
    assert "this container has a job of its own" in refused(runtime, {"scrun.het-group": "1"})
    with allocation(as_root, f"{name}-root") as others:
        assert f"there is no job {others} of yours" in refused(runtime, {"scrun.jobid": str(others)})
    queued = runner(["sbatch", "--parsable", "--hold", "--wrap=true", "--output=/dev/null"]).stdout.strip()
    assert f"job {queued} still waits for its nodes" in refused(runtime, {"scrun.jobid": queued})
    runner(["scancel", queued])
