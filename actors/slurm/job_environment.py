"""The environment of the stager's commands, which scrun.lua gets as ``job_env``.

Every ``SCRUN_*`` variable that the manual lists under "Output Environment Variables", and those ``SLURM_*`` variables
of the job that are known here; srun and slurmd set the others for the step.
"""

import os
import time
from collections.abc import Iterable

from proto.host.paths import DEFAULT_PATH, ContainerPaths
from proto.life.creation import Creation
from proto.value import Value

FACTS_WAIT = 2.0
"""Seconds to wait for the file that salloc's command writes."""
TOLD_OTHERWISE = frozenset({"SLURM_CONF", "SLURM_JOB_ID", "SLURM_JOBID", "SLURM_NODELIST"})


class JobFacts(Value):
    """What is known of the job; an empty field gives no variable.

    Attributes:
        job_id: its number.
        nodes: its nodes, as Slurm's host list.
        cluster: name of the cluster.
        env: other variables of the job.

    """

    job_id: int
    nodes: str = ""
    cluster: str = ""
    env: dict[str, str] = {}


def read_job_facts(paths: ContainerPaths, job_id: int) -> JobFacts:
    """Read what salloc gave its command, which wrote it down right after the grant: the nodes, or all for a script.

    In an allocation that scrun did not make there is no such file, and only the number is known.
    """
    deadline = time.monotonic() + FACTS_WAIT
    while not (text := _written(paths.job_env)) and os.path.exists(paths.job_log) and time.monotonic() < deadline:
        time.sleep(0.01)  # the grant was read in salloc's words; its command starts a moment later
    entries = [os.fsdecode(entry).partition("=") for entry in text.split(b"\0")]
    env = {name: value for name, _, value in entries if name.startswith("SLURM_") and name not in TOLD_OTHERWISE}
    return JobFacts(
        job_id=job_id,
        nodes=env.pop("SLURM_JOB_NODELIST", ""),
        cluster=env.pop("SLURM_CLUSTER_NAME", ""),
        env=env,
    )


def _written(path: str) -> bytes:
    """All of the file, once it is complete."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        return b""
    return text if text.endswith(b"\0") else b""


def job_environment(creation: Creation, job: JobFacts, paths: ContainerPaths, anchor_pid: int) -> tuple[bytes, ...]:
    """Return ``K=V`` for each variable, in the order in which they are documented; ``PATH`` and the like are last."""
    entries = [f"{name}={value}" for name, value in _of_scrun(creation, paths, anchor_pid)]
    entries += [f"{name}={value}" for name, value in _of_job(job) if value]
    entries += [f"{name}={value}" for name, value in job.env.items()]
    given = dict(entry.partition(b"=")[::2] for entry in creation.environ)
    usual = {b"PATH": given.get(b"PATH") or DEFAULT_PATH.encode(), b"HOME": os.fsencode(creation.caller.home)}
    if creation.settings.scrun.slurm_conf:
        usual[b"SLURM_CONF"] = os.fsencode(creation.settings.scrun.slurm_conf)
    return (
        *(entry.encode("utf-8", "surrogateescape") for entry in entries),
        *(name + b"=" + value for name, value in usual.items()),
    )


def script_environment(environment: Iterable[bytes]) -> tuple[bytes, ...]:
    """The part that scrun.lua gets: scripts add it to the container's environment, whose PATH must stay its own."""
    kept = (b"SCRUN_", b"SLURM_", b"SLURMD_")
    return tuple(entry for entry in environment if entry.startswith(kept) and not entry.startswith(b"SLURM_CONF="))


def _of_scrun(creation: Creation, paths: ContainerPaths, anchor_pid: int) -> list[tuple[str, str]]:
    entries = [
        ("SCRUN_OCI_VERSION", creation.oci_version),
        ("SCRUN_CONTAINER_ID", creation.id),
        ("SCRUN_PID", str(anchor_pid)),
        ("SCRUN_BUNDLE", creation.bundle),
        ("SCRUN_SUBMISSION_BUNDLE", creation.bundle),
        *((f"SCRUN_ANNOTATION_{name}", value) for name, value in creation.annotations.items()),
        ("SCRUN_PID_FILE", creation.pid_file),
        ("SCRUN_SOCKET", paths.hub),
        ("SCRUN_SPOOL_DIR", paths.spool),
        ("SCRUN_SUBMISSION_CONFIG_FILE", os.path.join(creation.bundle, "config.json")),
        ("SCRUN_USER", creation.caller.user),
        ("SCRUN_USER_ID", str(creation.caller.uid)),
        ("SCRUN_GROUP", creation.caller.group),
        ("SCRUN_GROUP_ID", str(creation.caller.gid)),
        ("SCRUN_ROOT", creation.root),
        ("SCRUN_ROOTFS_PATH", creation.rootfs),
        ("SCRUN_SUBMISSION_ROOTFS_PATH", creation.rootfs),
    ]
    if creation.log.path:
        entries.append(("SCRUN_LOG_FILE", creation.log.path))
    if creation.log.format:
        entries.append(("SCRUN_LOG_FORMAT", creation.log.format))
    return entries


def _of_job(job: JobFacts) -> list[tuple[str, str]]:
    number = str(job.job_id) if job.job_id else ""
    return [
        ("SLURM_JOB_ID", number),
        ("SLURM_JOBID", number),
        ("SLURM_JOB_NODELIST", job.nodes),
        ("SLURM_NODELIST", job.nodes),
        ("SLURM_CLUSTER_NAME", job.cluster),
    ]
