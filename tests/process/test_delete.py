"""``scrun delete`` of what cannot end itself any more: real containers of the local scheduler."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from tests.chaos.witness import children_of, find
from tests.conftest import alive, read_proc
from tests.process.site import Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

STRANGER = 12345


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    yield found
    os.chown(found.root, 0, 0)
    found.scrun("delete", "--force", "x")


def hook(site: Site) -> dict[str, object]:
    return {"path": "/bin/sh", "args": ["sh", "-c", f"echo deleted >>{site.traces}"]}


def check_refused(site: Site) -> None:
    """Root calls, and the state directory is another user's: nothing that is written there is done."""
    os.chown(site.root, STRANGER, STRANGER)
    done = site.scrun("delete", "--force", "x")
    assert (done.returncode, done.stderr) == (
        1, "container x is another user's, and does not end itself; let its owner call scrun delete\n"
    )  # fmt: skip
    assert not site.traces.exists()
    assert (site.root / "x/journal").exists()
    os.chown(site.root, 0, 0)
    site.succeeds("delete", "--force", "x")
    assert not (site.root / "x").exists()


def test_root_does_not_clear_up_what_another_user_has(site: Site) -> None:
    site.config()
    site.succeeds("create", "x")
    tree = json.loads(site.succeeds("console", "x", "tree", "--format", "json"))
    pids = [int(row["pid"]) for row in tree if row["process"] in {"anchor", "guard"}]
    assert len(pids) == 2
    os.kill(pids[0], signal.SIGSTOP)  # it would replace its guard
    for pid in reversed(pids):
        os.kill(pid, signal.SIGKILL)
    check_refused(site)


def test_root_runs_no_hook_of_another_user(site: Site) -> None:
    site.config(poststop=[hook(site)])
    site.succeeds("create", "x")
    os.chown(site.root, STRANGER, STRANGER)
    # Its anchor, who is asked first, ends it.
    done = site.scrun("delete", "--force", "x")
    assert "is another user's" in done.stderr
    assert not site.traces.exists()
    os.chown(site.root, 0, 0)
    site.succeeds("delete", "--force", "x")
    assert site.traces.read_text() == "deleted\n"


def test_an_anchor_reaps_its_actors(site: Site, wait_until: WaitUntil) -> None:
    """Else the engine is left with their zombies, and what they have used of the processor counts for nobody."""
    site.config(program="true")
    site.succeeds("create", "x")
    anchor = json.loads(site.succeeds("state", "x"))["pid"]
    site.succeeds("start", "x")
    wait_until(lambda: not alive(anchor))
    site.succeeds("delete", "x")
    left = {read_proc(pid, "comm").decode().strip() for pid in children_of(os.getpid())}
    assert not {name for name in left if name.startswith("scrun-")} - {"scrun-guard"}


def test_the_other_actors_live_until_the_state_actor_has_said_its_last_words(site: Site) -> None:
    """Where they did not, libzmq kept a word for one of them for 0.3 s, once in thirty ends on a busy host."""
    site.config()
    site.succeeds("create", "x")  # as long as it is not started, the allocation actor does not rest
    anchor = json.loads(site.succeeds("state", "x"))["pid"]
    with contextlib.ExitStack() as stack:
        handles = {role: os.pidfd_open(find(anchor, role)) for role in ("state", "allocation")}
        poller = select.poll()
        for handle in handles.values():
            stack.callback(os.close, handle)
            poller.register(handle, select.POLLIN)
        deletion = threading.Thread(target=site.succeeds, args=("delete", "--force", "x"))
        stack.callback(deletion.join)
        deletion.start()
        first = {handle for handle, _ in poller.poll(20_000)}
        assert handles["state"] in first
