"""Job options by annotation, by the container's environment, by the caller's and by scrun.toml."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime


def job(runtime: Runtime, box: Box) -> dict[str, str]:
    """What Slurm knows of a container's job."""
    text = runtime.runner(["scontrol", "--oneliner", "show", "job", str(box.job())]).stdout
    return dict(re.findall(r"(\w+)=(\S*)", text))


@pytest.mark.slice
def test_point_23_annotations_reach_slurm(runtime: Runtime) -> None:
    name = f"name-{secrets.token_hex(4)}"
    annotations = {"scrun.partition": "short", "scrun.time": "1", "scrun.nodes": "2", "scrun.job-name": name,
                   "scrun.cpus-per-task": "3"}  # fmt: skip
    box = runtime.box("/bin/true", annotations=annotations)
    about = job(runtime, box)
    assert (about["Partition"], about["TimeLimit"], about["NumNodes"], about["JobName"]) == (
        "short", "00:01:00", "2", name,
    )  # fmt: skip
    assert runtime.runner(["squeue", "--noheader", f"--name={name}", "--format=%i"]).stdout.split() == [str(box.job())]
    runtime.ok("start", box.id)
    assert box.wait() == 0


@pytest.mark.slice
def test_the_program_runs_on_every_node(runtime: Runtime) -> None:
    # It must not fail: with --kill-on-bad-exit the slower node's program may be ended before it has said anything.
    box = runtime.running("/bin/sh", "-c", "echo $SLURM_STEP_NUM_NODES", annotations={"scrun.nodes": "2"})
    assert box.wait() == 0
    # (22.05 gives a container no SLURM_PROCID.)
    assert box.read() == "2\n2\n"


@pytest.mark.slice
@pytest.mark.parametrize("source", ["container", "caller", "toml"])
def test_each_source(runtime: Runtime, source: str) -> None:
    name = f"name-{secrets.token_hex(4)}"
    env = ["PATH=/bin", f"SCRUN_JOB_NAME={name}"] if source == "container" else ["PATH=/bin"]
    environ = {"SCRUN_JOB_NAME": name} if source == "caller" else {}
    if source == "toml":
        environ |= runtime.site(f'[job]\njob-name = "{name}"\n')
    box = runtime.box("/bin/true", env=env, environ=environ)
    assert job(runtime, box)["JobName"] == name


def test_annotations_go_before_variables_before_settings(runtime: Runtime) -> None:
    environ = {"SCRUN_JOB_NAME": "caller", "SCRUN_TIMELIMIT": "3"} | runtime.site(
        '[job]\njob-name = "toml"\ntime = "2"\npartition = "short"\n'
    )
    box = runtime.box(
        "/bin/true", annotations={"scrun.job-name": "annotation"}, env=["PATH=/bin", "SCRUN_TIMELIMIT=1"],
        environ=environ,
    )  # fmt: skip
    about = job(runtime, box)
    assert (about["JobName"], about["TimeLimit"], about["Partition"]) == ("annotation", "00:01:00", "short")


@pytest.mark.slice
def test_an_option_that_there_is_not(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true", annotations={"scrun.partion": "debug"})
    sentence = runtime.fails("create", "--bundle", str(bundle), "typo")
    assert "scrun.partition" in sentence
    assert runtime.left("typo") == []


def test_a_misspelt_variable_is_refused_in_the_container_and_warned_of_in_the_environment(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true", env=["PATH=/bin", "SCRUN_TIMELIMT=1"])
    sentence = runtime.fails("create", "--bundle", str(bundle), "typo")
    assert sentence.endswith("SCRUN_TIMELIMT of the container is not a job option; did you mean SCRUN_TIMELIMIT?")
    assert runtime.left("typo") == []
    done = runtime("run", "--bundle", str(runtime.bundle("/bin/true")), "warned", environ={"SCRUN_TIMELIMT": "1"})
    assert done.returncode == 0
    (record,) = runtime.records()
    assert record["level"] == "warning"
    assert record["msg"].startswith(
        "variable SCRUN_TIMELIMT of the environment is not a job option; did you mean SCRUN_T"
    )
    assert record["msg"].endswith("; it has no effect")


def test_what_a_site_forces_and_limits(runtime: Runtime) -> None:
    environ = runtime.site(
        '[job]\npartition = "short"\n[forced]\njob-name = "forced"\n[forced.short]\ntime = 1\n[limits]\nnodes = 1\n'
    )
    box = runtime.box("/bin/true", environ=environ)
    about = job(runtime, box)
    assert (about["JobName"], about["TimeLimit"], about["Partition"]) == ("forced", "00:01:00", "short")
    bundle = runtime.bundle("/bin/true", annotations={"scrun.nodes": "2"})
    sentence = runtime.fails("create", "--bundle", str(bundle), "wide", environ=environ)
    assert sentence.endswith("scrun.toml allows 1 at most")
    assert "annotation scrun.nodes says 2, but nodes in [limits] of /" in sentence
    assert runtime.left("wide") == []


def test_the_switch_of_srun_s_own_has_its_name_back(runtime: Runtime) -> None:
    box = runtime.box("/bin/true", annotations={"scrun.network": "ethernet"})
    assert job(runtime, box)["Network"] == "ethernet"
    bundle = runtime.bundle("/bin/true", annotations={"scrun.network": "none"})
    sentence = runtime.fails("create", "--bundle", str(bundle), "former")
    assert "for a container without a network say scrun.container-network=none" in sentence


def test_an_allocation_of_somebody_else_s_is_left_alone(runtime: Runtime) -> None:
    runtime.runner(["salloc", "--quiet", "--no-shell", f"--job-name={runtime.directory.name}"])
    listed = runtime.runner(["squeue", "--noheader", f"--name={runtime.directory.name}", "--format=%i"])
    mine = int(listed.stdout)
    try:
        box = runtime.running("/bin/sleep", "600", environ={"SLURM_JOB_ID": str(mine)})
        assert box.job() == mine
        runtime.ok("kill", box.id, "KILL")
        assert box.wait() == 137
        runtime.ok("delete", box.id)
        other = runtime.running("/bin/sleep", "600", environ={"SLURM_JOB_ID": str(mine)}, id="other")
        runtime.ok("delete", "--force", other.id)
        assert runtime.job_state(mine) == "RUNNING"
    finally:
        runtime.runner(["scancel", str(mine)])
