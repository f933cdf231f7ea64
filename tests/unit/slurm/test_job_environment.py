from actors.slurm.job_environment import JobFacts, job_environment, script_environment
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


def test_slurms_numbers() -> None:
    numbers = constants()
    assert (numbers["SUCCESS"], numbers["ERROR"], numbers["NO_VAL"]) == (0, -1, 0xFFFFFFFE)
    assert numbers["ESLURM_INVALID_PARTITION_NAME"] == 2000
    assert numbers["ESLURM_INVALID_ACCOUNT"] == 2045
    assert numbers["ESLURM_ACCOUNTING_POLICY"] == 2050
