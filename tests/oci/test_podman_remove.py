"""``podman rm --force`` in each state: podman has nothing afterwards, neither has scrun, nor Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oci.podman import Filler, Podman


def remove(podman: Podman, name: str, wait_until: Any) -> None:
    container_id = podman.id(name)
    job = podman.job(container_id)
    podman.ok("rm", "--force", "--time", "0", name)
    assert not podman.exists(name)
    wait_until(lambda: not podman.left(container_id, job), 10, what=f"{podman.left(container_id, job)}")


def test_configured(podman: Podman, wait_until: Any) -> None:
    name = podman.name()
    podman.ok("create", "--name", name, "busybox", "true")
    remove(podman, name, wait_until)


def test_created(podman: Podman, wait_until: Any) -> None:
    name = podman.name()
    podman.ok("create", "--name", name, "busybox", "true")
    podman.ok("init", name)
    assert podman.inspect(name, ".State.Status") == "initialized"
    assert podman.job_state(podman.job(podman.id(name))) == "RUNNING"
    remove(podman, name, wait_until)


def test_running(podman: Podman, wait_until: Any) -> None:
    name = podman.detached("busybox", "sleep", "600")
    assert podman.job_state(podman.job(podman.id(name))) == "RUNNING"
    remove(podman, name, wait_until)


def test_running_and_deaf(podman: Podman, wait_until: Any) -> None:
    name = podman.detached("busybox", "sh", "-c", 'trap "" TERM INT; while :; do sleep 1; done')
    remove(podman, name, wait_until)


def test_exited(podman: Podman, wait_until: Any) -> None:
    name = podman.detached("busybox", "sh", "-c", "exit 3")
    assert podman.ok("wait", name) == "3"
    remove(podman, name, wait_until)


def test_queued(podman: Podman, filler: Filler, wait_until: Any) -> None:
    filler.fill("node3")
    name = podman.name()
    options = ["--annotation", "scrun.nodelist=node3", "--annotation", "scrun.cpus-per-task=16"]
    podman.ok("create", "--name", name, *options, "busybox", "true")
    podman.ok("init", name)
    assert podman.job_state(podman.job(podman.id(name))) == "PENDING"
    remove(podman, name, wait_until)


def test_the_name_is_free_at_once(podman: Podman) -> None:
    name = podman.name()
    for word in ("one", "two"):
        podman.ok("run", "--detach", "--name", name, "busybox", "sh", "-c", f"echo {word}; sleep 600")
        podman.ok("rm", "--force", "--time", "0", name)


def test_many_at_once(podman: Podman, wait_until: Any) -> None:
    names = [podman.detached("busybox", "sleep", "600") for _ in range(3)]
    ids = [podman.id(name) for name in names]
    podman.ok("rm", "--force", "--time", "0", *names)
    wait_until(lambda: not any(podman.left(container_id) for container_id in ids), 10)
