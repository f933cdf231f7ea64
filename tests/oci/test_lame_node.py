"""A node whose runtime cannot start the container: not a word of the program's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.oci.node import Node

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Cluster
    from tests.oci.podman import Podman

THERE = ("--annotation", "scrun.nodelist=node3")


@pytest.fixture
def lame(cluster: Cluster) -> Iterator[None]:
    with Node(cluster, "node3").without("newuidmap"):
        yield


@pytest.mark.usefixtures("lame")
@pytest.mark.parametrize("terminal", [False, True])
def test_without_newuidmap_the_container_is_not_started_and_says_why(podman: Podman, terminal: bool) -> None:
    done = podman.run("--rm", *(["-t"] if terminal else []), *THERE, "busybox", "echo", "ran")
    assert done.returncode == 125
    assert "ran" not in done.stdout
    # On a terminal the runtime's own words must do.
    assert ("uid_map" if terminal else "newuidmap") in done.stderr + done.stdout


def test_a_program_that_ends_with_1_at_once_has_its_status(podman: Podman) -> None:
    done = podman.run("--rm", *THERE, "busybox", "sh", "-c", "echo out; echo err >&2; exit 1")
    assert (done.returncode, done.stdout, done.stderr) == (1, "out\n", "err\n")
