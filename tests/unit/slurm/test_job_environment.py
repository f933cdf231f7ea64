import os
from pathlib import Path

import pytest

from actors.slurm.job_environment import (
    TEXT_LIMIT,
    JobFacts,
    facts_of,
    job_environment,
    program_environment,
    script_environment,
    scrun_environment,
)
from actors.slurm.step_options import has_one_task
from actors.staging.lua.slurm_constants import constants
from proto.host.paths import ContainerPaths
from tests.unit.creations import creation

# The manual's "Output Environment Variables", but for the annotations and the two that are only there if given.
DOCUMENTED = """
    SCRUN_OCI_VERSION SCRUN_CONTAINER_ID SCRUN_PID SCRUN_BUNDLE SCRUN_SUBMISSION_BUNDLE SCRUN_PID_FILE SCRUN_SOCKET
    SCRUN_SPOOL_DIR SCRUN_SUBMISSION_CONFIG_FILE SCRUN_USER SCRUN_USER_ID SCRUN_GROUP SCRUN_GROUP_ID SCRUN_ROOT
    SCRUN_ROOTFS_PATH SCRUN_SUBMISSION_ROOTFS_PATH
"""


def as_dict(entries: tuple[bytes, ...]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, _, value in (entry.partition(b"=") for entry in entries)}


def test_every_documented_variable_is_there() -> None:
    container = creation(annotations={"a.b/c": "x=y"}, log__path="/log", log__format="json")
    paths = ContainerPaths(container.root, container.id)
    found = as_dict(job_environment(container, JobFacts(job_id=42), paths, 4711))
    assert set(DOCUMENTED.split()) | {"SCRUN_LOG_FILE", "SCRUN_LOG_FORMAT"} <= set(found)
    assert found["SCRUN_ANNOTATION_a.b/c"] == "x=y"
    assert found["SCRUN_PID"] == "4711"
    assert found["SCRUN_USER_ID"] == "1001"
    assert found["SCRUN_SOCKET"] == "/run/user/1001/scrun/box1/hub"
    assert found["SLURM_JOB_ID"] == found["SLURM_JOBID"] == "42"
    assert found["PATH"] == "/usr/bin:/bin"


def test_what_is_unknown_has_no_variable() -> None:
    container = creation(environ=())
    paths = ContainerPaths(container.root, container.id)
    found = as_dict(job_environment(container, JobFacts(job_id=42, nodes="n[1-2]"), paths, 1))
    assert found["SLURM_JOB_NODELIST"] == "n[1-2]"
    assert not {"SLURM_CLUSTER_NAME", "SCRUN_LOG_FILE"} & set(found)
    assert "/usr/bin" in found["PATH"].split(":")


def test_the_script_does_not_get_what_would_harm_a_container() -> None:
    container = creation(settings__scrun__slurm_conf="/etc/slurm.conf")
    paths = ContainerPaths(container.root, container.id)
    everything = job_environment(container, JobFacts(job_id=42, env={"SLURM_GPUS": "2"}), paths, 1)
    found = as_dict(script_environment(everything))
    assert "SLURM_GPUS" in found
    assert not {"PATH", "HOME", "SLURM_CONF"} & set(found)
    assert as_dict(everything)["SLURM_CONF"] == "/etc/slurm.conf"


def test_an_annotation_has_a_name_for_shells_too_and_what_no_process_can_be_given_is_left_out() -> None:
    annotations = {"a.b/c": "x", "d_e": "y", "d.e": "z", "nul": "a\0b", "long": "x" * TEXT_LIMIT}
    container = creation(annotations=annotations)
    found = as_dict(scrun_environment(container, ContainerPaths(container.root, container.id), 1, "/staged"))
    told = {name.removeprefix("SCRUN_ANNOTATION_"): found[name] for name in found if "_ANNOTATION_" in name}
    assert told == {"a.b/c": "x", "a_b_c": "x", "d_e": "y", "d.e": "z"}
    assert found["SCRUN_BUNDLE"] == "/staged"
    assert found["SCRUN_ROOTFS_PATH"] == "/staged/rootfs"
    assert found["SCRUN_SUBMISSION_BUNDLE"] == container.bundle


def test_the_program_is_told_of_its_job() -> None:
    job = JobFacts(42, "node1", "c", {"SLURM_JOB_ACCOUNT": "a", "SLURM_NTASKS_PER_CORE": "1"})
    own = ("PATH=/bin", "SLURM_JOB_ACCOUNT=mine", "SLURM_MINE=1")
    found = as_dict(tuple(map(os.fsencode, program_environment(job, own, "box1", alone=True))))
    assert found == {
        "PATH": "/bin", "SLURM_MINE": "1", "SLURM_JOB_ID": "42", "SLURM_JOBID": "42", "SLURM_JOB_NODELIST": "node1",
        "SLURM_NODELIST": "node1", "SLURM_CLUSTER_NAME": "c", "SLURM_JOB_ACCOUNT": "a", "SLURM_NTASKS_PER_CORE": "1",
        "SLURM_CONTAINER_ID": "box1", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0",
        "SLURMD_NODENAME": "node1",
    }  # fmt: skip


def test_of_several_tasks_nobody_here_knows_the_numbers() -> None:
    found = program_environment(JobFacts(42, "node[1-2]"), (), "box1", alone=False)
    assert not [entry for entry in found if "PROCID" in entry or "NODENAME" in entry]


@pytest.mark.parametrize(
    ("options", "one"),
    [
        ({}, True),
        ({"nodes": "1", "ntasks": "1"}, True),
        ({"nodes": "2"}, False),
        ({"nodes": "1-2"}, False),
        ({"nodelist": "node1,node2"}, False),
        ({"ntasks": "2"}, False),
        ({"ntasks-per-gpu": "2"}, False),
    ],
)
def test_which_steps_have_one_task(options: dict[str, str], one: bool) -> None:
    assert has_one_task(options) == one


def test_what_salloc_says_of_the_job(tmp_path: Path) -> None:
    container = creation(root=str(tmp_path))
    paths = ContainerPaths(container.root, container.id)
    os.makedirs(paths.directory)
    entries = ("SLURM_JOB_NODELIST=n1", "SLURM_CLUSTER_NAME=c", "SLURM_CONF=/c", "SLURM_JOB_QOS=q", "PATH=/bin")
    Path(paths.job_env).write_text("".join(f"{entry}\0" for entry in entries))
    assert facts_of(container, paths, 5) == JobFacts(5)  # it is being written
    with open(paths.job_env, "a", encoding="ascii") as file:
        file.write("\0")
    assert facts_of(container, paths, 5) == JobFacts(5, "n1", "c", {"SLURM_JOB_QOS": "q"})


def test_an_allocation_that_is_not_scrun_s(tmp_path: Path) -> None:
    environ = (b"SLURM_JOB_ID=7", b"SLURM_JOB_NODELIST=n1", b"SLURM_JOB_ACCOUNT=a", b"SLURM_SUBMIT_DIR=/d")
    container = creation(root=str(tmp_path), environ=environ, job_id=7)
    paths = ContainerPaths(container.root, container.id)
    assert facts_of(container, paths, 7) == JobFacts(7, "n1", "", {"SLURM_JOB_ACCOUNT": "a", "SLURM_SUBMIT_DIR": "/d"})
    # It was named by a variable of the container, and create ran in another one.
    assert facts_of(creation(root=str(tmp_path), environ=environ, job_id=8), paths, 8) == JobFacts(8)


def test_slurms_numbers() -> None:
    numbers = constants()
    assert (numbers["SUCCESS"], numbers["ERROR"], numbers["NO_VAL"]) == (0, -1, 0xFFFFFFFE)
    assert numbers["ESLURM_INVALID_PARTITION_NAME"] == 2000
    assert numbers["ESLURM_INVALID_ACCOUNT"] == 2045
    assert numbers["ESLURM_ACCOUNTING_POLICY"] == 2050
