"""The site as fixtures. A run begins at the snapshot of the first boot, and installs scrun by the book.

``SITE_KEEP=1`` goes on with the scrun that an earlier run has installed (a minute instead of several).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.site import installation, machines

if TYPE_CHECKING:
    from collections.abc import Iterator

Outcomes = dict[int, list[machines.Done]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if machines.HERE in item.path.parents:
            item.add_marker("site")
            item.add_marker(pytest.mark.timeout(2 * machines.OUTAGE))


@pytest.fixture(scope="session", autouse=True)
def no_scrun_left() -> None:
    """Nothing of scrun runs on this machine."""


@pytest.fixture(scope="session")
def outcomes() -> Outcomes:
    """What came of each section of the installation; empty if an earlier one is kept."""
    if os.environ.get("SITE_KEEP", "0") != "0" and machines.has_snapshot("installed"):
        return {}
    machines.load("booted")
    result = installation.install()
    # Not a part of install.md: what a user runs detached shall outlive the session that started it.
    machines.root("loginctl enable-linger alice bob carol")
    machines.save("installed")
    return result


@pytest.fixture(scope="session")
def installed(outcomes: Outcomes) -> None:
    """The site with scrun on it."""


@pytest.fixture
def fresh(installed: None) -> Iterator[None]:
    """For tests that break something: the site as it was after the installation, before and afterwards."""
    machines.load("installed")
    yield
    machines.load("installed")


@pytest.fixture
def alice(installed: None) -> Iterator[machines.User]:
    yield from somebody("alice")


@pytest.fixture
def bob(installed: None) -> Iterator[machines.User]:
    yield from somebody("bob")


@pytest.fixture
def carol(installed: None) -> Iterator[machines.User]:
    """Has no subordinate ids."""
    yield from somebody("carol")


def somebody(name: str) -> Iterator[machines.User]:
    user = machines.User(name)
    yield user
    # Whatever the test has left, and whether or not podman knows it. One session for all: each takes seconds.
    machines.must(
        "login",
        "root",
        f"su -l {name} -c 'XDG_RUNTIME_DIR=/run/user/$(id -u) podman rm --all --force --time 0' >/dev/null; "
        f"scancel -u {name}; timeout 600 sh -c 'while squeue -h -u {name} | grep -q .; do sleep 1; done'",
    )
