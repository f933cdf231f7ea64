"""GPUs asked for in the engines' own words, on a login host without a vendor's tool."""

from __future__ import annotations

import pathlib
import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.docs.markdown import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.docker import Docker
    from tests.oci.podman import Podman

SHOW = "cd /dev; ls -d nvidia* kfd dri/* 2>/dev/null; echo $CUDA_VISIBLE_DEVICES; env | grep SCRUN"
WHOLE = "scontrol --details show job"


@pytest.fixture
def names() -> Iterator[None]:
    """The names of GPUs on this host: node3 has a directory of its own there."""
    file = pathlib.Path("/run/cdi/scrun.json")
    file.write_bytes((CHECKOUT / "examples/gpus.json").read_bytes())
    yield
    file.unlink()


@pytest.mark.parametrize(("devices", "seen"), [(["3"], ["nvidia0"]), (["0", "7"], ["nvidia0", "nvidia1"])])
def test_a_device_of_a_kind(podman: Podman, names: None, devices: list[str], seen: list[str]) -> None:
    """The number on the command line is no number on the node, where Slurm says which."""
    options = [f"--device=nvidia.com/gpu={device}" for device in devices]
    done = podman.run(*options, "busybox", "sh", "-c", SHOW)
    numbers = ",".join(str(number) for number in range(len(devices)))
    assert done.stdout.split() == [*seen, "nvidiactl", numbers], done.stderr


def test_all_of_a_node(podman: Podman, names: None) -> None:
    done = podman.run("--device=nvidia.com/gpu=all", "busybox", "sh", "-c", SHOW)
    assert done.stdout.split() == [
        "dri/renderD128", "dri/renderD129", "kfd", "nvidia0", "nvidia1", "nvidiactl", "0,1,2,3",
    ], done.stderr  # fmt: skip


def test_an_option_of_the_job_goes_first(podman: Podman, names: None) -> None:
    options = ("--device=nvidia.com/gpu=all", "--annotation=scrun.gres=gpu:tesla:1")
    done = podman.run(*options, "busybox", "sh", "-c", SHOW)
    assert done.stdout.split() == ["nvidia0", "nvidiactl", "0"], done.stderr


def test_what_it_changed_comes_back_without_mount_points(podman: Podman) -> None:
    name = podman.name()
    podman.ok("run", "--name", name, "--annotation=scrun.gres=gpu:tesla:1", "busybox", "touch", "/new")
    changed = podman.ok("diff", name).splitlines()
    assert "A /new" in changed
    assert not re.search(r"libcuda.so.550|nvidia0", "\n".join(changed))


@pytest.mark.parametrize(
    ("asked", "seen"),
    [("2", ["nvidia0", "nvidia1", "nvidiactl", "0,1"]), ('"device=1"', ["nvidia0", "nvidiactl", "0"])],
)
def test_gpus_of_docker(docker: Docker, asked: str, seen: list[str]) -> None:
    """By a hook of a name that docker looks for when it starts, and that nobody runs."""
    done = docker.run("--gpus", asked, "busybox", "sh", "-c", SHOW)
    assert done.stdout.split() == seen, done.stderr
