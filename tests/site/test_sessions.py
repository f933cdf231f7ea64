"""What systemd does to a user's processes at the end of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.site.machines import STAGED, root, wait_until
from tests.site.test_outages import counting, ends_well

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.site.machines import User


@pytest.fixture
def no_linger(alice: User) -> Iterator[None]:
    root("loginctl disable-linger alice")
    yield
    root("loginctl enable-linger alice")


def test_lingering_user_logs_out(alice: User) -> None:
    counting(alice)
    wait_until(lambda: not sessions(), "end of all sessions")
    ends_well(alice)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param("loginctl terminate-user alice", id="terminate-user"),
        pytest.param("systemctl stop user@1500.service", id="user manager stopped"),
    ],
)
def test_processes_of_the_user_are_ended(alice: User, end: str) -> None:
    """The container is over, its job given back, nothing staged is left, and podman can remove it."""
    counting(alice)
    root(end)
    alice.gone()
    wait_until(
        lambda: not alice.must(STAGED),
        "an empty staging directory",
    )
    state = alice.must("podman ps -a --format '{{.Names}} {{.State}}'").split()
    assert state[0] == "count"
    assert state[1] != "running"
    alice.must("podman rm --force count")
    assert alice.must("podman run --rm busybox echo again").strip() == "again"


def test_logout_without_lingering_says_why(no_linger: None, alice: User) -> None:
    """The last session ends the user's manager, and with it what runs below it: not without a word."""
    counting(alice)
    alice.gone()
    words = alice.must("podman logs count 2>&1; scrun state $(podman inspect --format '{{.Id}}' count) 2>&1 || true")
    assert "linger" in words


def sessions() -> str:
    """Alice's; the manager that lingers has one of its own."""
    return root("loginctl list-sessions --no-legend | grep ' alice ' | grep -v manager || true")
