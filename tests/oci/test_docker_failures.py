"""What Slurm refuses reaches docker's user in a sentence of ours, and leaves nothing."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from tests.oci.docker import traces

if TYPE_CHECKING:
    from tests.oci.docker import Docker


def test_a_partition_that_is_not_there(docker: Docker) -> None:
    done = docker.run("-e", "SCRUN_PARTITION=nope", "busybox", "true")
    assert (done.returncode, done.stdout) == (125, "")
    assert "there is no such partition" in done.stderr
    assert docker.status(docker.names[-1])[0] == "created"
    container_id = docker.id(docker.names[-1])
    assert not any(container_id in trace for trace in traces(docker))


def test_a_node_without_oci_conf(docker: Docker, wait_until: Any) -> None:
    done = docker.run("-e", "SCRUN_PARTITION=bare", "busybox", "sh", "-c", "echo on the host")
    assert (done.returncode, done.stdout) == (125, "")
    assert "oci.conf" in done.stderr
    container_id = docker.id(docker.names[-1])
    wait_until(lambda: not any(container_id in trace for trace in traces(docker)), 10, what="nothing left")


def test_an_option_of_the_job(docker: Docker) -> None:
    name = f"job-{secrets.token_hex(4)}"
    container = docker.detached("-e", f"SCRUN_JOB_NAME={name}", "busybox", "sleep", "300")
    queue = docker.runner(["squeue", "--noheader", f"--name={name}", "--format=%A %T"]).stdout
    assert queue.split() == [str(docker.job(docker.id(container))), "RUNNING"]
