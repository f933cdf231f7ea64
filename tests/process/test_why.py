"""``scrun why``, and the history of ends that it reads: real containers of the local scheduler."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from proto.life import ends
from tests.process.site import Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

FIRST, SECOND = "3f2a" + "0" * 60, "3f2b" + "0" * 60


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    for name in ("x", FIRST, SECOND):
        found.scrun("delete", "--force", name)


def ended(site: Site, wait_until: WaitUntil, name: str, program: str) -> None:
    """A container that is created, started, and has ended."""
    site.config(program=program)
    site.succeeds("create", name)
    site.succeeds("start", name)
    wait_until(lambda: json.loads(site.succeeds("state", name))["status"] == "stopped")


def test_a_container_tells_its_life_and_its_end_also_when_it_is_deleted(site: Site, wait_until: WaitUntil) -> None:
    site.config(program="read x; exit 7 # secret-argument")
    site.succeeds("create", "x")
    assert site.succeeds("why", "x").startswith("Container x is ready, and waits to be started, for ")
    site.succeeds("delete", "x")
    assert "ended with exit code 137 at " in site.succeeds("why", "x")
    ended(site, wait_until, "x", "exit 7 # secret-argument")
    said = site.succeeds("why", "x")
    assert said.startswith("Container x ended with exit code 7 at ")
    assert "The reason (exited): the program exited with 7." in said
    site.succeeds("delete", "x")
    kept = site.succeeds("why", "x")
    assert kept.partition(" ago")[0].rpartition(",")[0] == said.partition(" ago")[0].rpartition(",")[0]
    assert kept.partition(" ago")[2] == said.partition(" ago")[2]
    (file,) = (site.root / ends.DIRECTORY).iterdir()
    assert "secret" not in file.read_text()
    assert '"s"' not in file.read_text()  # the value of SECRET


def test_the_beginning_of_an_id_is_enough(site: Site, wait_until: WaitUntil) -> None:
    ended(site, wait_until, FIRST, "exit 3")
    site.succeeds("delete", FIRST)
    site.config()
    site.succeeds("create", SECOND)
    assert site.succeeds("why", FIRST[:12]).startswith("Container 3f2a00000000 ended with exit code 3 ")
    assert site.succeeds("why", SECOND[:12]).startswith("Container 3f2b00000000 is ready")
    done = site.scrun("why", "3f2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"2 containers begin with 3f2: {FIRST}, {SECOND}; give more of the id\n"
    site.succeeds("delete", SECOND)
    assert site.fails("why", "4f") == "container 4f does not exist, and is none of the last 500 that ended"
    assert "invalid container id" in site.fails("why", "../x")


def test_one_of_an_old_id_that_lives_is_the_one(site: Site, wait_until: WaitUntil) -> None:
    ended(site, wait_until, "x", "exit 3")
    site.succeeds("delete", "x")
    site.config()
    site.succeeds("create", "x")
    assert site.succeeds("why", "x").startswith("Container x is ready")


def test_two_that_end_at_once(site: Site) -> None:
    site.config()
    for name in (FIRST, SECOND):
        site.succeeds("create", name)
        site.succeeds("start", name)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: site.succeeds("delete", "--force", name), (FIRST, SECOND)))
    assert sorted(ends.names(str(site.root))) == [FIRST, SECOND]
    for name in (FIRST, SECOND):
        assert "ended with exit code 137 at " in site.succeeds("why", name)


def test_the_guard_finds_the_end_of_one_whose_anchor_was_killed(site: Site, wait_until: WaitUntil) -> None:
    site.config()
    site.succeeds("create", "x")
    site.succeeds("start", "x")
    os.kill(json.loads(site.succeeds("state", "x"))["pid"], signal.SIGKILL)
    wait_until(lambda: ends.names(str(site.root)) == ["x"], 30)
    site.succeeds("delete", "--force", "x")
    said = site.succeeds("why", "x")
    assert said.startswith("Container x ended with exit code 137 at ")
    assert "The reason (cancelled): cancelled by the death of scrun's anchor process." in said


def test_a_history_that_cannot_be_written_fails_nobody(site: Site, wait_until: WaitUntil) -> None:
    site.root.mkdir(mode=0o700)
    (site.root / ends.DIRECTORY).touch()
    ended(site, wait_until, "x", "exit 3")
    assert "ended with exit code 3" in site.succeeds("why", "x")
    site.succeeds("delete", "x")
    done = site.scrun("why", "x")
    assert (done.returncode, done.stdout) == (1, "")
    assert "does not exist" in done.stderr


def test_other_verbs_do_not_see_the_history(site: Site, wait_until: WaitUntil) -> None:
    ended(site, wait_until, "x", "exit 3")
    site.succeeds("delete", "x")
    kept = (site.root / ends.DIRECTORY / "x.end").read_bytes()
    assert site.succeeds("list", "-q") == ""
    assert site.succeeds("gc") == ""
    assert site.succeeds("delete", "--regex", "--force", ".*") == ""
    assert (site.root / ends.DIRECTORY / "x.end").read_bytes() == kept
