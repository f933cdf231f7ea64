"""``scrun console --top`` over real containers of the local scheduler: they come, run, are looked into, and go."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import time
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from scrun.cli.parsing import Line
from scrun.console.screen.app import Top
from scrun.console.screen.overview import Overview
from scrun.console.screen.page import Page
from scrun.console.screen.questions import Confirm, Outcome
from scrun.console.screen.start import watching
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from textual.pilot import Pilot

PROGRAM = "trap exit TERM; while :; do echo 0123456789; sleep 0.05; done"


@pytest.fixture
def site(tmp_path: pathlib.Path) -> Iterator[Site]:
    found = Site(tmp_path)
    found.config(program=PROGRAM)
    found.root.mkdir()
    yield found
    found.scrun("delete", "--force", "x")


def create(site: Site, stack: contextlib.ExitStack) -> None:
    """With a pipe for its output: what goes into a file does not go through scrun."""
    reader = stack.enter_context(subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL))
    stack.callback(reader.kill)
    assert reader.stdin is not None
    command = [*COMMAND, "--root", str(site.root), "create", "x"]
    with reader.stdin as output:
        subprocess.run(
            command, env=site.environ, cwd=site.bundle, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            check=True, timeout=60,
        )  # fmt: skip


async def until(pilot: Pilot[None], predicate: Callable[[], object], what: str = "") -> None:
    end = time.monotonic() + 30
    while not predicate():
        assert time.monotonic() < end, what or predicate
        await pilot.pause(0.05)


def journal(site: Site) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(site.succeeds("console", "x", "journal", "--format", "json"))
    return rows


def test_a_life_is_seen_from_its_beginning_to_its_end(site: Site) -> None:
    async def look() -> None:
        with contextlib.ExitStack() as stack:
            context = stack.enter_context(zmq.Context())
            app = Top(stack.enter_context(contextlib.closing(watching(context, Line(), str(site.root)))))
            async with app.run_test(size=(80, 24)) as pilot:
                await lives(app, pilot, stack)

    async def lives(app: Top, pilot: Pilot[None], stack: contextlib.ExitStack) -> None:
        await until(pilot, lambda: isinstance(app.screen, Overview))
        overview = app.screen
        assert isinstance(overview, Overview)
        assert overview.subject() is None

        def card() -> Any:
            found = overview.subject()
            assert found is not None
            return found

        await asyncio.to_thread(create, site, stack)
        await until(pilot, lambda: overview.subject() is not None and card().phase == "created")
        await asyncio.to_thread(site.succeeds, "start", "x")
        await until(pilot, lambda: card().sent.rate(time.time()) > 0, "bytes flow")
        await until(pilot, lambda: (app.watching.row(card()).load.memory or 0) > 0)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Page))
        page = app.screen
        assert isinstance(page, Page)
        await until(pilot, lambda: page.processes.current is not None)
        anchor = json.loads(await asyncio.to_thread(site.succeeds, "state", "x"))["pid"]
        assert page.processes.current is not None
        assert (page.processes.current.name, page.processes.current.pid) == ("anchor", anchor)
        await until(pilot, lambda: any("fact." in line or "note." in line for line in page.messages.lines))
        for _ in range(20):
            if page.actor() == "state":
                break
            await pilot.press("down")
        assert page.actor() == "state"

        # A restart that is not confirmed is none; one that is, is in the journal with who did it.
        for answer in ("n", "y"):
            await pilot.press("R")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            await pilot.press(answer)
            await until(pilot, lambda: app.screen is page)
        await until(pilot, lambda: app.watching.roster.cards[str(site.root), "x"].actors["state"].restarts == 1)
        [done] = [row["data"] for row in await asyncio.to_thread(journal, site) if row["event"] == "intervened"]
        assert (done["action"], done["actor"], done["uid"]) == ("restart", "state", os.getuid())
        assert done["pid"] != os.getpid()

        await pilot.press("w")
        await until(pilot, lambda: isinstance(app.screen, Outcome))
        assert "Container x runs" in app.screen.text  # type: ignore[attr-defined]
        await pilot.press("escape", "escape")
        await until(pilot, lambda: app.screen is overview)

        await asyncio.to_thread(site.succeeds, "kill", "x", "TERM")
        await until(pilot, lambda: card().phase == "stopped")
        assert card().reason == ""
        await asyncio.to_thread(site.succeeds, "delete", "x")
        await until(pilot, lambda: overview.subject() is None)

    asyncio.run(look())


def test_on_a_terminal_until_it_is_left(site: Site) -> None:
    site.succeeds("create", "x")
    terminal, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [*COMMAND, "--root", str(site.root), "console", "--top", "x"]
    environ = site.environ | {"TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True) as top:
        os.close(slave)
        said, awaited = b"", {b"staging in", b"guard", b"allocation"}  # the page is there at once
        with contextlib.suppress(OSError):  # the other end is closed
            while part := os.read(terminal, 1 << 16):
                said += part
                if {word for word in awaited if word in said} == awaited:
                    os.write(terminal, b"q")
                    awaited = {b"nothing more"}
    os.close(terminal)
    assert top.returncode == 0
    # The terminal is as it was before.
    assert said.rfind(b"\x1b[?1049l") > said.rfind(b"\x1b[?1049h") >= 0


def test_who_was_killed_is_seen_too(site: Site) -> None:
    async def look() -> None:
        with zmq.Context() as context, contextlib.closing(watching(context, Line(), str(site.root))) as found:
            app = Top(found)
            async with app.run_test(size=(80, 24)) as pilot:
                key = (str(site.root), "x")
                await until(pilot, lambda: key in found.roster.cards and found.roster.cards[key].anchor)
                anchor = found.roster.cards[key].anchor
                os.kill(anchor, 9)
                await until(pilot, lambda: found.roster.cards[key].status == "stopped")
                assert found.roster.cards[key].anchor == 0

    site.succeeds("create", "x")
    asyncio.run(look())
