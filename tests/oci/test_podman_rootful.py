"""root's podman, without a user namespace around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oci.podman import Podman


def test_run(root_podman: Podman) -> None:
    done = root_podman.run("--rm", "busybox", "sh", "-c", "id -u; echo err >&2; exit 23")
    assert (done.returncode, done.stdout, done.stderr) == (23, "0\n", "err\n")


def test_piped_input(root_podman: Podman) -> None:
    text = "a line\n" * 50_000
    done = root_podman.run("--rm", "-i", "busybox", "cat", input=text)
    assert (done.returncode, done.stdout) == (0, text)


def test_stop_and_remove(root_podman: Podman, wait_until: Any) -> None:
    name = root_podman.detached("busybox", "sh", "-c", 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done')
    wait_until(lambda: root_podman.ok("logs", name) == "ready", 20)
    container_id = root_podman.id(name)
    job = root_podman.job(container_id)
    assert root_podman.job_state(job) == "RUNNING"
    root_podman.ok("stop", name)
    assert root_podman.status(name) == ("exited", 3)
    root_podman.ok("rm", name)
    wait_until(lambda: not root_podman.left(container_id, job), 10)


def test_a_program_that_is_not_there(root_podman: Podman) -> None:
    assert root_podman.run("--rm", "busybox", "no-such-program").returncode == 127
