"""docs/variables.md on the real cluster: what the program, scrun.lua and srun's prolog are told by variables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime

ASK = """
function slurm_scrun_stage_in(id, bundle, spool_dir, config_file, jobid, user_id, group_id, job_env)
    local command = [[echo "<$SCRUN_CONTAINER_ID $SCRUN_ANNOTATION_org_x $SLURM_JOB_ID>"]]
    local _, here = slurm.allocator_command(command)
    local _, there = slurm.remote_command(command)
    error(here .. there)
end
function slurm_scrun_stage_out() return slurm.SUCCESS end
return slurm.SUCCESS
"""
NOTHING_STAGED = ASK.replace("error(here .. there)", "return slurm.SUCCESS")


def variables(box: Box) -> dict[str, str]:
    assert box.wait() == 0
    lines = [line.partition("=") for line in box.read().splitlines()]
    return {name: value for name, _, value in lines}


def script(runtime: Runtime, text: str) -> dict[str, str]:
    path = runtime.directory / "scrun.lua"
    path.write_text(text)
    path.chmod(0o644)
    return runtime.site(f'[scrun]\nlua = "{path}"\n')


@pytest.mark.slice
def test_all_that_srun_in_an_allocation_is_told(runtime: Runtime) -> None:
    words = ("--mem=100", "--ntasks-per-core=1", "--cpus-per-task=2", "--overcommit")
    there = runtime.runner(["salloc", "--quiet", "--nodes=1", *words, "env"]).stdout
    expected = {line.partition("=")[0] for line in there.splitlines() if line.startswith("SLURM_")}
    assert {"SLURM_CLUSTER_NAME", "SLURM_JOB_CPUS_PER_NODE", "SLURM_NTASKS_PER_CORE", "SLURM_SUBMIT_DIR"} <= expected
    wanted = {"scrun.nodes": "1", "scrun.mem": "100", "scrun.ntasks-per-core": "1", "scrun.cpus-per-task": "2",
              "scrun.overcommit": ""}  # fmt: skip
    box = runtime.running("/bin/env", annotations=wanted)
    job = box.job()
    found = variables(box)
    assert expected - set(found) == set()
    assert (found["SLURM_JOB_ID"], found["SLURM_CONTAINER_ID"]) == (str(job), box.id)
    assert found["SLURM_NTASKS_PER_CORE"] == "1"
    assert not [name for name in found if name.startswith("SCRUN_")]


def test_which_variable_wins(runtime: Runtime) -> None:
    env = ["PATH=/bin", "SLURM_JOB_NAME=mine", "SLURM_CLUSTER_NAME=mine", "SLURM_PROCID=7", "SLURM_MINE=x"]
    box = runtime.running("/bin/env", env=env)
    found = variables(box)
    assert (found["PATH"], found["SLURM_MINE"]) == ("/bin", "x")
    assert (found["SLURM_JOB_NAME"], found["SLURM_CLUSTER_NAME"]) == (box.id, "scrun")
    assert [found[f"SLURM_{name}"] for name in ("PROCID", "LOCALID", "NODEID")] == ["0", "0", "0"]
    assert found["SLURMD_NODENAME"] == found["SLURM_JOB_NODELIST"]


def test_each_task_has_its_own_numbers(runtime: Runtime) -> None:
    check = '[ "$SLURM_PROCID$SLURM_NODEID$SLURM_LOCALID" = "$1" ]'
    program = f'set -- 000; [ "$SLURMD_NODENAME" = node1 ] || set -- 110; {check}'
    box = runtime.running("/bin/sh", "-c", program, annotations={"scrun.nodelist": "node[1-2]"})
    assert box.wait() == 0


def test_in_an_allocation_of_somebody_else_s(runtime: Runtime) -> None:
    runtime.runner(["salloc", "--quiet", "--no-shell", f"--job-name={runtime.directory.name}"])
    listed = runtime.runner(["squeue", "--noheader", f"--name={runtime.directory.name}", "--format=%i"])
    try:
        environ = {"SLURM_JOB_ID": listed.stdout.strip(), "SLURM_JOB_ACCOUNT": "guests"}
        found = variables(runtime.running("/bin/env", environ=environ))
        assert (found["SLURM_JOB_ACCOUNT"], found["SLURM_PROCID"]) == ("guests", "0")
    finally:
        runtime.runner(["scancel", listed.stdout.strip()])


def test_the_commands_of_a_script(runtime: Runtime) -> None:
    environ = script(runtime, ASK)
    bundle = runtime.bundle("/bin/true", annotations={"org.x": "y"})
    sentence = runtime.fails("create", "--bundle", str(bundle), "asks", environ=environ)
    assert sentence.count("<asks y ") == 2
    assert "<asks y >" not in sentence


def test_the_program_of_a_script_s_container(runtime: Runtime) -> None:
    found = variables(runtime.running("/bin/env", environ=script(runtime, NOTHING_STAGED)))
    assert (found["SLURM_CLUSTER_NAME"], found["SLURM_PROCID"]) == ("scrun", "0")


def test_sruns_prolog(runtime: Runtime) -> None:
    told = runtime.directory / "told"
    prolog = f"#!/bin/sh\necho $SCRUN_CONTAINER_ID $SCRUN_PID $SCRUN_ANNOTATION_org_x >{told}\n"
    made = runtime.runner(["/bin/sh", "-c", f"cat >{told}.sh; chmod 755 {told}.sh"], prolog)
    assert made.returncode == 0
    box = runtime.running("/bin/true", annotations={"scrun.prolog": f"{told}.sh", "org.x": "y"})
    assert box.wait() == 0
    assert told.read_text() == f"{box.id} {box.anchor} y\n"
