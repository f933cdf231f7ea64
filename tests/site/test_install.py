"""The five blocks of docs/install.md, and what doctor says afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.site.conftest import Outcomes
    from tests.site.machines import User


pytestmark = pytest.mark.slice


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_block_succeeds(outcomes: Outcomes, number: int) -> None:
    if not outcomes:
        pytest.skip("an earlier installation is kept (SITE_KEEP)")
    failed = [done for done in outcomes[number] if done.returncode]
    assert not failed, "\n".join(f"status {done.returncode}\n{done.stdout}\n{done.stderr}" for done in failed)


def test_block_5_prints_what_it_says(outcomes: Outcomes) -> None:
    if not outcomes:
        pytest.skip("an earlier installation is kept (SITE_KEEP)")
    printed = "".join(done.stdout for done in outcomes[5]).splitlines()
    assert "7" in printed
    assert printed[-2:] == ["node1", "node2"]
    assert "scrun /usr/local/bin/scrun" in printed


def test_the_installed_scrun_is_first_in_path(alice: User) -> None:
    assert alice.must("command -v scrun; scrun --version").splitlines() == [
        "/usr/local/bin/scrun",
        "scrun version 0.1.0",
        *alice.must("scrun --version").splitlines()[1:],
    ]


def test_doctor_finds_nothing(alice: User) -> None:
    done = alice.run("scrun doctor")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("fault")] == []
