"""The cases that were asked for run ahead of their tests."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import CHECKOUT, PR_SET_CHILD_SUBREAPER, Cluster, Runner, wait_until
from tests.oci.beside import table
from tests.oci.beside.ahead import Ahead
from tests.oci.podman import processes_with

if TYPE_CHECKING:
    from collections.abc import Iterator


def own_scrun(cluster: Cluster, as_user: Runner) -> str:
    """This checkout's scrun, as the test user may call it."""
    for checkout in (CHECKOUT, cluster.checkout):
        path = checkout / ".venv/bin/scrun"
        if as_user(["test", "-x", str(path)]).returncode == 0:
            return str(path)
    pytest.fail("the test user can call no scrun of this checkout")


@pytest.fixture(scope="module")
def adopts_nobody() -> Iterator[None]:
    """Engines leave their conmon to whoever adopts it, and look whether it is gone: a zombie of ours is not."""
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
    yield
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.fixture(scope="module")
def ahead(request: pytest.FixtureRequest, cluster: Cluster, adopts_nobody: None) -> Iterator[Ahead]:
    cases = [item.callspec.params["case"] for item in request.session.items if _is_a_case(item)]  # type: ignore[attr-defined]
    runners = {"podman": cluster.runner("as-user"), "docker": cluster.runner("as-docker")}
    # docker knows its runtimes by names.
    ours = {"podman": own_scrun(cluster, runners["podman"]), "docker": "scrun"}
    runtimes = {engine: {"runc": "runc", "scrun": ours[engine]} for engine in table.ENGINES}
    made = Ahead(cases, runners, runtimes, table.read().images)
    try:
        yield made
    finally:
        made.close()
    prefixes = [place.prefix for place in made.places.values()]
    wait_until(lambda: not any(processes_with(prefix) for prefix in prefixes), 15, what="nothing left of the rows")


def _is_a_case(item: Any) -> bool:
    return "case" in getattr(getattr(item, "callspec", None), "params", {}) and "ahead" in item.fixturenames
