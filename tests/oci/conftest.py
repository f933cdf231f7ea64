"""What the tests with podman share."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.podman import Filler, Podman

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


@pytest.fixture
def filler(as_user: Any) -> Iterator[Filler]:
    made = Filler(as_user)
    yield made
    made.empty()
