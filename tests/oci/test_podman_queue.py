"""podman while containers are queued: with ``start_wait`` it does not hold their locks, so that it answers."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import Runner
from tests.oci.podman import Podman

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.podman import Filler

QUEUED = ("--annotation", "scrun.nodelist=node2", "--annotation", "scrun.cpus-per-task=16")


@pytest.fixture
def create_wait_over(cluster: Any, as_user: Any) -> Iterator[Podman]:
    """The user's podman at a site where neither ``create`` nor ``start`` waits in the queue for long."""
    place = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(cluster.slurm_conf).parents[1] / "spool"))
    place.chmod(0o755)
    (place / "slurm.conf").symlink_to(cluster.slurm_conf)
    (place / "scrun.toml").write_text("[scrun]\ncreate_wait = 0.5\nstart_wait = 0.5\n")
    conf = as_user(["sh", "-c", "cat ~/.config/containers/containers.conf"]).stdout
    lines = [line for line in conf.splitlines() if not line.startswith("conmon_env_vars")]
    lines.insert(lines.index("[engine]") + 1, f'conmon_env_vars = ["SLURM_CONF={place}/slurm.conf"]')
    (place / "containers.conf").write_text("\n".join(lines) + "\n")
    wrapper = place / "as-user"
    wrapper.write_text(f'#!/bin/sh\nexec {as_user.wrapper} env CONTAINERS_CONF={place}/containers.conf "$@"\n')
    wrapper.chmod(0o755)
    podman = Podman(Runner(wrapper), cluster.scrun_root)
    yield podman
    podman.close()
    shutil.rmtree(place)


def test_podman_answers_while_a_container_is_queued_and_it_runs_when_it_can(
    create_wait_over: Podman, filler: Filler, wait_until: Any
) -> None:
    filler.fill("node2")
    name = create_wait_over.detached(*QUEUED, "busybox", "sh", "-c", "echo ran; exit 6")
    job = create_wait_over.job(create_wait_over.id(name))
    assert create_wait_over.job_state(job) == "PENDING"
    running = create_wait_over.ok("ps", "--filter", "status=running", "--format", "{{.Names}}")
    assert name in running.splitlines()
    assert create_wait_over.status(name) == ("running", 0)
    filler.empty()
    assert create_wait_over.ok("wait", name) == "6"
    assert create_wait_over.ok("logs", name) == "ran"
    wait_until(lambda: not create_wait_over.left(create_wait_over.id(name), job), 20)


@pytest.mark.parametrize("way", ["stop", "kill", "rm"])
def test_podman_ends_it_in_the_queue(create_wait_over: Podman, filler: Filler, wait_until: Any, way: str) -> None:
    filler.fill("node2")
    name = create_wait_over.detached(*QUEUED, "busybox", "true")
    container = create_wait_over.id(name)
    job = create_wait_over.job(container)
    assert create_wait_over.job_state(job) == "PENDING"
    create_wait_over.ok(way, *(("--force", "--time", "2") if way == "rm" else ()), name)
    wait_until(lambda: not create_wait_over.left(container, job), 20)
    if way != "rm":
        wait_until(lambda: create_wait_over.status(name) == ("exited", {"stop": 143, "kill": 137}[way]), 20)
