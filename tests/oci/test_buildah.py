"""buildah: the commands of a build run as Slurm jobs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Cluster, Runner


@pytest.fixture
def options(cluster: Cluster) -> list[str]:
    return ["--isolation", "oci", "--runtime", str(cluster.checkout / ".venv/bin/scrun")]


@pytest.fixture
def working(as_user: Runner) -> Iterator[str]:
    """A working container of buildah's."""
    made = as_user(["buildah", "from", "localhost/busybox"])
    assert made.returncode == 0, made.stderr
    yield made.stdout.strip()
    as_user(["buildah", "rm", made.stdout.strip()])


@pytest.mark.usefixtures("staged_anywhere")
def test_run(as_user: Runner, options: list[str], working: str) -> None:
    done = as_user(["buildah", "run", *options, working, "--", "sh", "-c", "echo job $SLURM_JOB_ID; >/made; exit 3"])
    assert done.returncode == 3
    assert re.fullmatch(r"job \d+\n", done.stdout)
    # What it has written is there for the next one.
    again = as_user(["buildah", "run", *options, working, "--", "ls", "/made"])
    assert (again.returncode, again.stdout) == (0, "/made\n")


@pytest.mark.slice
@pytest.mark.usefixtures("staged_anywhere")
def test_build(as_user: Runner, options: list[str]) -> None:
    file = "FROM localhost/busybox\nRUN echo built in job $SLURM_JOB_ID >/where\nRUN cat /where\n"
    script = (
        """cd "$(mktemp -d)" && cat >Containerfile && buildah build "$@" --tag localhost/built . && rm Containerfile"""
    )
    try:
        done = as_user(["/bin/sh", "-c", script, "sh", *options], file, timeout=120)
        assert done.returncode == 0, done.stderr
        assert re.search(r"^built in job \d+$", done.stdout, re.MULTILINE)
    finally:
        as_user(["buildah", "rmi", "--force", "localhost/built"])
