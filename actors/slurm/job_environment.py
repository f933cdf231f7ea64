"""What scrun tells others by variables (scrun(1), OUTPUT ENVIRONMENT VARIABLES, and docs/variables.md).

The stager's commands and scrun.lua (``job_env``) get every ``SCRUN_*`` variable and what salloc says of the job, srun
and its prologs on this host the former, and the program the latter, as far as its step says nothing better.
"""

import os
import re
import time
from collections.abc import Iterable, Mapping, Sequence

from proto.host.paths import DEFAULT_PATH, ContainerPaths
from proto.life.creation import Creation
from proto.value import Value

FACTS_WAIT = 2.0
"""Seconds to wait for the file that salloc's command writes."""
TOLD_OTHERWISE = frozenset({"SLURM_CONF", "SLURM_JOB_ID", "SLURM_JOBID", "SLURM_NODELIST"})
COMPLETE = b"\0\0"
"""What salloc's command ends that file with: the end of a variable, and an empty one."""
TEXT_LIMIT = 64 * 1024
"""Bytes of a variable; execve(2) takes 128 KiB."""
_ODD = re.compile(r"\W", re.ASCII)


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
    """Read what salloc gave its command, which wrote it down right after the grant.

    In an allocation that scrun did not make there is no such file, and only the number is known.
    """
    deadline = time.monotonic() + FACTS_WAIT
    while not (text := _written(paths.job_env)) and os.path.exists(paths.job_log) and time.monotonic() < deadline:
        time.sleep(0.01)  # the grant was read in salloc's words; its command starts a moment later
    return _facts(job_id, text.split(b"\0"))


def facts_of(creation: Creation, paths: ContainerPaths, job_id: int) -> JobFacts:
    """The same; of an allocation that scrun did not make what its variables told ``create``, if it ran in there."""
    if not creation.job_id:
        return read_job_facts(paths, job_id)
    inside = b"SLURM_JOB_ID=%d" % creation.job_id in creation.environ
    return _facts(job_id, creation.environ if inside else ())


def _facts(job_id: int, environ: Iterable[bytes]) -> JobFacts:
    entries = [os.fsdecode(entry).partition("=") for entry in environ]
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
    return text if text.endswith(COMPLETE) else b""


def job_environment(creation: Creation, job: JobFacts, paths: ContainerPaths, anchor_pid: int) -> tuple[bytes, ...]:
    """Return ``K=V`` for each variable, in the order in which they are documented; ``PATH`` and the like are last."""
    entries = _entries(_of_job(job))
    given = dict(entry.partition(b"=")[::2] for entry in creation.environ)
    usual = {b"PATH": given.get(b"PATH") or DEFAULT_PATH.encode(), b"HOME": os.fsencode(creation.caller.home)}
    if creation.settings.scrun.slurm_conf:
        usual[b"SLURM_CONF"] = os.fsencode(creation.settings.scrun.slurm_conf)
    return (
        *scrun_environment(creation, paths, anchor_pid),
        *entries,
        *(name + b"=" + value for name, value in usual.items()),
    )


def scrun_environment(
    creation: Creation, paths: ContainerPaths, anchor_pid: int, bundle: str = ""
) -> tuple[bytes, ...]:
    """Return ``K=V`` for the variables that are scrun's own.

    Args:
        creation: the container.
        paths: its files.
        anchor_pid: the process that stands for it.
        bundle: the one that is launched; empty for the engine's own.

    """
    return _entries(_of_scrun(creation, paths, anchor_pid, bundle))


def program_environment(job: JobFacts, own: Sequence[str], container_id: str, *, alone: bool) -> tuple[str, ...]:
    """Return the container's variables with those of the job, which take the place of any of the same name.

    Slurm's scrun gives the job's to srun, which passes them on. Here srun gets none of them, since it takes some for
    options; the entry file has them, and lets the step's own go first.

    Args:
        job: what is known of the job.
        own: ``process.env``, ``K=V``.
        container_id: id of the container.
        alone: the step has one task: its numbers are known, which slurmstepd 22.05 tells no container.

    """
    told = dict(_of_job(job)) | {"SLURM_CONTAINER_ID": container_id}
    if alone:
        told |= dict.fromkeys(("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"), "0")
        if job.nodes and not {",", "["} & set(job.nodes):
            told["SLURMD_NODENAME"] = job.nodes
    kept = [entry for entry in own if entry.partition("=")[0] not in told]
    return (*kept, *(f"{name}={value}" for name, value in told.items()))


def script_environment(environment: Iterable[bytes]) -> tuple[bytes, ...]:
    """The part that scrun.lua gets: scripts add it to the container's environment, whose PATH must stay its own."""
    kept = (b"SCRUN_", b"SLURM_", b"SLURMD_")
    return tuple(entry for entry in environment if entry.startswith(kept) and not entry.startswith(b"SLURM_CONF="))


def _entries(pairs: Iterable[tuple[str, str]]) -> tuple[bytes, ...]:
    """Without those that no process could be given."""
    entries = (f"{name}={value}".encode("utf-8", "surrogateescape") for name, value in pairs)
    return tuple(entry for entry in entries if len(entry) <= TEXT_LIMIT and b"\0" not in entry)


def _annotations(annotations: Mapping[str, str]) -> dict[str, str]:
    """Each by its name, and by one that a shell can use: it drops a variable with a dot in its name."""
    plain = {_ODD.sub("_", name): value for name, value in annotations.items()}
    return {f"SCRUN_ANNOTATION_{name}": value for name, value in (plain | dict(annotations)).items()}


def _of_scrun(creation: Creation, paths: ContainerPaths, anchor_pid: int, bundle: str) -> list[tuple[str, str]]:
    entries = [
        ("SCRUN_OCI_VERSION", creation.oci_version),
        ("SCRUN_CONTAINER_ID", creation.id),
        ("SCRUN_PID", str(anchor_pid)),
        ("SCRUN_BUNDLE", bundle or creation.bundle),
        ("SCRUN_SUBMISSION_BUNDLE", creation.bundle),
        *_annotations(creation.annotations).items(),
        ("SCRUN_PID_FILE", creation.pid_file),
        ("SCRUN_SOCKET", paths.hub),
        ("SCRUN_SPOOL_DIR", paths.spool),
        ("SCRUN_SUBMISSION_CONFIG_FILE", os.path.join(creation.bundle, "config.json")),
        ("SCRUN_USER", creation.caller.user),
        ("SCRUN_USER_ID", str(creation.caller.uid)),
        ("SCRUN_GROUP", creation.caller.group),
        ("SCRUN_GROUP_ID", str(creation.caller.gid)),
        ("SCRUN_ROOT", creation.root),
        ("SCRUN_ROOTFS_PATH", f"{bundle}/rootfs" if bundle else creation.rootfs),
        ("SCRUN_SUBMISSION_ROOTFS_PATH", creation.rootfs),
    ]
    if creation.log.path:
        entries.append(("SCRUN_LOG_FILE", creation.log.path))
    if creation.log.format:
        entries.append(("SCRUN_LOG_FORMAT", creation.log.format))
    return entries


def _of_job(job: JobFacts) -> list[tuple[str, str]]:
    number = str(job.job_id) if job.job_id else ""
    known = [
        ("SLURM_JOB_ID", number),
        ("SLURM_JOBID", number),
        ("SLURM_JOB_NODELIST", job.nodes),
        ("SLURM_NODELIST", job.nodes),
        ("SLURM_CLUSTER_NAME", job.cluster),
    ]
    return [*((name, value) for name, value in known if value), *job.env.items()]
