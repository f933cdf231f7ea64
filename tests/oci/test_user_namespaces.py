"""Containers in a user namespace in which whoever calls the engine has no id: what is staged must be in reach of it."""

from __future__ import annotations

import pathlib
import shutil
import stat
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.conftest import ROOT_STATE
from tests.oci.podman import Podman, podman_at
from tests.slurm import site_conf

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Runner

MAPPED = ("--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536")


@pytest.fixture
def place(cluster: Any) -> Iterator[pathlib.Path]:
    """A directory that everybody may go through."""
    path = pathlib.Path(tempfile.mkdtemp(dir=pathlib.Path(cluster.slurm_conf).parents[1] / "spool"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def site(place: pathlib.Path, as_root: Any) -> Iterator[Any]:
    """root's podman at a site with its own staging directory."""
    made = []

    def at(directory: str) -> Podman:
        made.append(podman_at(place, as_root, f'[staging]\ndirectory = "{directory}"\n', ROOT_STATE))
        return made[-1]

    yield at
    for podman in made:
        podman.close()


@pytest.mark.parametrize("options", [(), ("--read-only",)], ids=["writable", "read-only"])
def test_root(site: Any, place: pathlib.Path, options: tuple[str, ...]) -> None:
    podman = site(f"{place}/%u/%U")
    script = "id -u; awk '{print $2}' /proc/self/uid_map; cat /etc/hostname >/dev/null; exit 5"
    done = podman.run("--rm", *MAPPED, *options, "busybox", "sh", "-c", script)
    assert (done.returncode, done.stdout) == (5, "0\n100000\n"), done.stderr


def test_others_may_go_through_and_not_look_around(site: Any, place: pathlib.Path) -> None:
    podman = site(f"{place}/%u/%U")
    mapped = podman.id(podman.ready("echo ready; exec sleep 100", *MAPPED))
    plain = podman.id(podman.ready("echo ready; exec sleep 100"))
    staging = place / "root/0"
    modes = {path.name.split("~")[0]: stat.S_IMODE(path.stat().st_mode) for path in staging.iterdir() if path.is_dir()}
    assert (modes[mapped], modes[plain]) == (0o711, 0o700)
    assert stat.S_IMODE(staging.stat().st_mode) == 0o711


def test_a_closed_directory_on_the_way(site: Any, place: pathlib.Path) -> None:
    closed = place / "closed"
    closed.mkdir(0o700)
    podman = site(f"{closed}/scrun")
    done = podman.run("--rm", *MAPPED, "busybox", "true")
    assert done.returncode not in {0, 1}
    assert f"{closed} cannot be entered by the ids of the container's user namespace" in done.stderr
    assert list((closed / "scrun").iterdir()) == []


def test_a_user_without_his_own_id(
    podman: Podman, cluster: Any, as_user: Runner, request: pytest.FixtureRequest
) -> None:
    if (24, 11) <= site_conf.version(as_user) < (26, 5):
        request.applymarker(pytest.mark.xfail(reason="slurmd's directory of the task is closed to all but the user"))
    done = podman.run("--rm", "--userns=nomap", "busybox", "sh", "-c", "id -u; cat /proc/self/uid_map; exit 5")
    assert done.returncode == 5, done.stderr
    uid, inside, outside, _ = done.stdout.split()
    assert (uid, inside) == ("0", "0")
    assert int(outside) != cluster.uid
