"""What podman does to a container by itself: restart policies, and init before start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oci.podman import Podman


def test_restart_on_failure(podman: Podman, wait_until: Any) -> None:
    name = podman.detached("--restart", "on-failure:2", "busybox", "sh", "-c", "echo run; exit 3")
    wait_until(lambda: podman.ok("logs", name).split() == ["run"] * 3, 40, what="three runs")
    wait_until(lambda: podman.status(name) == ("exited", 3), 20)
    assert podman.inspect(name, ".RestartCount") == "2"
    container_id = podman.id(name)
    wait_until(lambda: not podman.left(container_id), 10, what=f"{podman.left(container_id)}")


def test_no_restart_after_success(podman: Podman, wait_until: Any) -> None:
    name = podman.detached("--restart", "on-failure:2", "busybox", "sh", "-c", "echo run")
    assert podman.ok("wait", name) == "0"
    assert podman.inspect(name, ".RestartCount") == "0"
    assert podman.ok("logs", name) == "run"


def test_restart_always_until_it_is_stopped(podman: Podman, wait_until: Any) -> None:
    name = podman.detached("--restart", "always", "busybox", "sh", "-c", "echo run; sleep 0.2")
    wait_until(lambda: len(podman.ok("logs", name).split()) >= 2, 40, what="two runs")
    podman.ok("stop", "--time", "0", name)
    container_id = podman.id(name)
    wait_until(lambda: not podman.left(container_id), 10)


def test_init_then_start(podman: Podman) -> None:
    name = podman.name()
    podman.ok("create", "--name", name, "busybox", "sh", "-c", "echo started; exit 6")
    podman.ok("init", name)
    assert podman.ok("logs", name) == ""
    podman.ok("start", name)
    assert podman.ok("wait", name) == "6"
    assert podman.ok("logs", name) == "started"


def test_an_initialized_container_can_be_killed(podman: Podman, wait_until: Any) -> None:
    name = podman.name()
    podman.ok("create", "--name", name, "busybox", "sleep", "600")
    podman.ok("init", name)
    container_id = podman.id(name)
    job = podman.job(container_id)
    podman.ok("rm", "--force", "--time", "0", name)
    wait_until(lambda: not podman.left(container_id, job), 10)
