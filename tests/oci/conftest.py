"""What the tests with podman and docker share."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from actors.slurm import oci_conf
from tests.conftest import Runner, wait_until
from tests.oci.docker import Docker, traces
from tests.oci.node import Node
from tests.oci.podman import Filler, Podman
from tests.oci.screen import Screen
from tests.slurm.runtime import Runtime, of_user

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT_STATE = pathlib.Path("/run/scrun")


@pytest.fixture
def podman(as_user: Any, cluster: Any) -> Iterator[Podman]:
    """The unprivileged user's podman."""
    made = Podman(as_user, cluster.scrun_root)
    yield made
    made.close()


@pytest.fixture
def root_podman(as_root: Any) -> Iterator[Podman]:
    """root's podman."""
    made = Podman(as_root, ROOT_STATE)
    yield made
    made.close()


@pytest.fixture(scope="session")
def as_docker(cluster: Any) -> Runner:
    """Run a command as root, with the cluster's dockerd."""
    runner: Runner = cluster.runner("as-docker")
    return runner


@pytest.fixture(scope="session")
def docker_directory(cluster: Any) -> pathlib.Path:
    return pathlib.Path(cluster.variables["SCRUN_TEST_DOCKER"])


@pytest.fixture(scope="session")
def no_docker_left(as_docker: Runner, docker_directory: pathlib.Path) -> Iterator[None]:
    """After all tests with docker there is nothing of their containers."""
    engine = Docker(as_docker, docker_directory)
    before = traces(engine)
    yield
    wait_until(lambda: not traces(engine) - before, 15, what="nothing left of docker's containers")


@pytest.fixture
def docker(as_docker: Runner, docker_directory: pathlib.Path, no_docker_left: None) -> Iterator[Docker]:
    """root's docker with the cluster's dockerd."""
    made = Docker(as_docker, docker_directory)
    yield made
    made.close()


@pytest.fixture
def squashed_podman(squashed: pathlib.Path, podman: Podman) -> Podman:
    """The unprivileged user's podman, its containers staged where root is nobody."""
    return podman


@pytest.fixture
def not_with_runc(cluster: Any) -> None:
    """What README says that runc on the nodes does not do (``NODE_RUNTIME=runc make cluster-up``)."""
    if oci_conf.load(str(cluster.slurm_conf)).runtime_name == "runc":
        pytest.skip("the nodes run runc")


@pytest.fixture(params=["podman", "docker"])
def engine(request: pytest.FixtureRequest) -> Podman:
    """Each of them: what holds for both is one test."""
    made: Podman = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def node(cluster: Any) -> Iterator[Node]:
    """A node that can stop answering, and does again after the test."""
    made = Node(cluster, "node2")
    yield made
    made.answer()


@pytest.fixture
def filler(as_user: Any) -> Iterator[Filler]:
    made = Filler(as_user)
    yield made
    made.empty()


@pytest.fixture
def runtime(as_user: Any) -> Iterator[Runtime]:
    """scrun without an engine, called by the unprivileged user as an engine would."""
    made = of_user(as_user, wait_until)
    yield made
    made.close()


@pytest.fixture
def screen(engine: Podman, wait_until: Any) -> Iterator[Screen]:
    made = Screen(engine, wait_until)
    made.resize(31, 97)
    yield made
    made.close()
