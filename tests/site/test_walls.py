"""What this site forbids unless it is told to scrun: each wall is named in one sentence before a job is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.site import machines
from tests.site.machines import root

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.site.machines import User

SETTINGS = "/etc/scrun/scrun.toml"
OWN_SETTINGS = "~/.config/scrun/scrun.toml"


@pytest.fixture
def no_settings(installed: None) -> Iterator[None]:
    """The site's scrun.toml is away, so a closed home is the staging directory."""
    root(f"mv {SETTINGS} {SETTINGS}.away")
    yield
    root(f"mv {SETTINGS}.away {SETTINGS}")


def errors(done: machines.Done) -> list[str]:
    """What podman complains of; its warnings are its own."""
    return [line for line in done.stderr.splitlines() if line.startswith("Error:")]


def jobs_ever() -> int:
    """How many jobs Slurm's accounting knows."""
    return int(root("sacct -n -X -a -S 2000-01-01 -o JobID | wc -l"))


def test_closed_home_is_named_by_podman_run(no_settings: None, alice: User) -> None:
    before = jobs_ever()
    done = alice.run("podman run --rm busybox true")
    assert done.returncode in {125, 126}
    (sentence,) = errors(done)
    assert "/home/alice" in sentence
    assert "[staging] directory" in sentence or "scrun.toml" in sentence
    assert not alice.jobs()
    assert jobs_ever() == before, "a job was asked for"


def test_closed_home_is_named_by_doctor(no_settings: None, alice: User) -> None:
    done = alice.run("scrun doctor")
    assert done.returncode
    (row,) = [line for line in done.stdout.splitlines() if line.startswith("fault")]
    assert "/home/alice" in row


def test_full_staging_directory(alice: User) -> None:
    """The export has 48 MiB; another has taken them all."""
    alice.must(f"mkdir -p ~/.config/scrun && printf '[staging]\\ndirectory = \"/tiny/%%u/scrun\"\\n' >{OWN_SETTINGS}")
    try:
        machines.run("login", "bob", "head -c 100M /dev/zero >/tiny/bob/all")
        before = jobs_ever()
        done = alice.run("podman run --rm busybox true")
        assert done.returncode in {125, 126}
        # (in one line of podman's, or before it, if "create" has not waited for the end of staging)
        assert [line for line in done.stderr.splitlines() if "/tiny/alice" in line and "full" in line]
        alice.gone()
        assert alice.must("find /tiny/alice -type f") == "", "what was half staged is still there"
        assert jobs_ever() <= before + 1
        machines.must("login", "bob", "rm /tiny/bob/all")
        assert alice.must("podman run --rm busybox echo there is room").strip() == "there is room"
    finally:
        machines.run("login", "bob", "rm -f /tiny/bob/all")
        alice.must(f"rm {OWN_SETTINGS}")
