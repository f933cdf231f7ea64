"""The screen with textual's pilot, over containers that are played with real state files and taps."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from proto.errors import SettingsError, UsageError
from proto.life import events as e
from proto.life import journal
from proto.life.ending import Ending
from scrun.cli.parsing import Line, parse
from scrun.commands.console import run
from scrun.console.screen import acting
from scrun.console.screen.app import Top
from scrun.console.screen.keys import KEYS, OTHERS, help_text
from scrun.console.screen.overview import Overview
from scrun.console.screen.page import Page
from scrun.console.screen.questions import Ask, Confirm, Outcome
from scrun.console.screen.roster import Roster
from scrun.console.screen.start import watching
from scrun.console.table import COMMANDS
from scrun.tap.crowds import allow_descriptors
from tests.unit.creations import creation
from tests.unit.scrun.screen.stage import PROCESS, QUEUED, RUNNING, Stage

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Awaitable, Callable, Iterator

    from textual.pilot import Pilot

    from tests.conftest import WaitUntil

ME = os.getuid()


class Hall:
    """A stage, and the screen in front of it."""

    def __init__(self, stage: Stage, app: Top, pilot: Pilot[None]) -> None:
        self.stage = stage
        self.app = app
        self.pilot = pilot

    async def until(self, predicate: Callable[[], object]) -> None:
        """Play on until it is so."""
        end = time.monotonic() + 60
        while not predicate():
            assert time.monotonic() < end, self.text()
            self.stage.is_told()
            self.app.tick()
            await self.pilot.pause(0.02)

    @property
    def overview(self) -> Overview:
        assert isinstance(self.app.screen, Overview)
        return self.app.screen

    def lines(self) -> list[str]:
        """What the terminal shows."""
        width, height = self.app.size
        update = self.app.screen._compositor.render_strips(self.app.size)
        assert len(update) == height
        assert all(strip.cell_length == width for strip in update)
        return [strip.text for strip in update]

    def text(self) -> str:
        return "\n".join(self.lines())


def play(stage: Stage, scene: Callable[[Hall], Awaitable[None]], size: tuple[int, int] = (80, 24)) -> None:
    async def act() -> None:
        with contextlib.ExitStack() as stack:
            context = stack.enter_context(zmq.Context())
            found = stack.enter_context(contextlib.closing(watching(context, Line(), str(stage.root))))
            app = Top(found)
            async with app.run_test(size=size) as pilot:
                await scene(Hall(stage, app, pilot))
            app.tick()  # its clock may strike once more, when there is no screen any more

    asyncio.run(act())


@pytest.fixture
def stage(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("SCRUN_SCHEDULER", "local")  # whom nobody asks about jobs
    (tmp_path / "r").mkdir()
    with Stage(tmp_path / "r") as found:
        yield found


def test_rows_come_change_and_go(stage: Stage) -> None:
    stage.begins("one", **QUEUED)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one          queued" in hall.text())
        assert "Resources" in hall.text()
        stage.begins("two", created=200.0, **RUNNING)
        await hall.until(lambda: "two          running" in hall.text())
        assert hall.lines()[0].startswith("2 containers: 1 running, 1 queued")
        # The newest is the first, and the cursor stays where it was.
        assert [line.split()[0] for line in hall.lines()[2:4]] == ["two", "one"]
        subject = hall.overview.subject()
        assert subject is not None
        assert subject.id == "one"
        stage.played["one"].becomes(**RUNNING)
        await hall.until(lambda: "one          running" in hall.text())
        stage.played["two"].becomes(finished=True, step="ended", ending=Ending("exited", 7, 0, "it said\x1b[2J so"))
        await hall.until(lambda: "two          stopped" in hall.text())
        assert "it said?[2J" in hall.text()
        stage.played["two"].is_deleted()
        await hall.until(lambda: hall.lines()[0].startswith("1 container: 1 running"))

    play(stage, scene)


def test_bytes_per_second_are_those_of_the_tap(stage: Stage) -> None:
    played = stage.begins("one", **RUNNING)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one          running" in hall.text())
        moved = 0

        def flows() -> bool:
            nonlocal moved
            moved += 5000
            played.moves(moved, moved)
            return any(rate.endswith("K") for rate in hall.lines()[2].split()[5:7])

        await hall.until(flows)

    play(stage, scene)


def test_of_500_rows_those_that_are_seen_are_looked_at(stage: Stage) -> None:
    allow_descriptors()
    for number in range(500):
        stage.begins(f"c{number:03}", created=1000.0 - number, **RUNNING)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: hall.lines()[0].startswith("500 containers: 500 running"))
        listing = hall.overview.listing
        room = listing.size.height - 1
        looked: list[str] = []
        look = listing._look

        def counted(card: Any) -> Any:
            looked.append(card.id)
            return look(card)

        listing._look = counted
        hall.overview.tick()
        hall.text()
        assert sorted(looked) == [f"c{number:03}" for number in range(room)]
        looked.clear()
        await hall.pilot.press("end")
        await hall.until(lambda: "c499" in hall.text())
        assert {f"c{number:03}" for number in range(room, 500 - room)}.isdisjoint(looked)
        await hall.pilot.press("home", "pagedown", "down")
        subject = hall.overview.subject()
        assert subject is not None
        assert subject.id == f"c{room + 1:03}"
        assert "c000" not in hall.text()

    play(stage, scene)


def test_another_size_has_other_columns(stage: Stage) -> None:
    stage.begins("one", **RUNNING)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one " in hall.text())
        assert "STATUS" in hall.lines()[1]
        await hall.pilot.resize_terminal(80, 24)
        await hall.until(lambda: hall.app.size == (80, 24) and "STATUS" not in hall.lines()[1])
        for title in ("ID", "PHASE", "JOB", "NODE", "AGE", "IN/s", "OUT/s", "CPU", "MEM", "REASON"):
            assert title in hall.lines()[1]
        await hall.pilot.resize_terminal(20, 5)
        await hall.until(lambda: hall.app.size == (20, 5))
        hall.text()

    play(stage, scene, (160, 40))


def test_only_rows_with_the_words_and_other_orders(stage: Stage) -> None:
    stage.begins("one", created=1.0, **QUEUED)
    stage.begins("two", created=2.0, **RUNNING)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: hall.lines()[0].startswith("2 containers"))
        await hall.pilot.press("slash")
        assert isinstance(hall.app.screen, Ask)
        await hall.pilot.press(*"queued", "enter")
        await hall.until(lambda: hall.lines()[0].startswith("1 container: 1 queued  with “queued”"))
        await hall.pilot.press("slash", "escape")
        await hall.until(lambda: hall.lines()[0].startswith("2 containers"))
        assert [line.split()[0] for line in hall.lines()[2:4]] == ["two", "one"]
        for _ in range(3):
            await hall.pilot.press("o")
        assert "(id)" in hall.lines()[0]
        assert [line.split()[0] for line in hall.lines()[2:4]] == ["one", "two"]

    play(stage, scene)


def test_the_page_of_a_container(stage: Stage) -> None:
    played = stage.begins("one", **RUNNING)
    played.processes = [PROCESS | {"actor": "stdio", "status": "dead", "reason": "held"}]
    (played.directory / "log").write_text("first line\n")
    for event in (e.CreateBegun(creation()), e.JobRequested("c"), e.JobGranted(7, "n1")):
        played.says(event)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one          running" in hall.text())
        await hall.pilot.press("enter")
        await hall.until(lambda: isinstance(hall.app.screen, Page) and "anchor" in hall.text())
        assert hall.lines()[0].startswith("one  running  of ")
        assert "staging in" in hall.lines()[2]
        assert "»" in hall.lines()[2]
        await hall.until(lambda: "stdio" in hall.text())
        row = next(line for line in hall.lines() if "stdio" in line)
        assert row.split() == ["└─stdio", "dead", "0", "held"]
        await hall.pilot.press("2")
        await hall.until(lambda: "hello" in hall.text())
        played.says(e.StagedIn("/b", "/b/r", (b"secret",)))
        await hall.until(lambda: "fact.allocation.staged-in" in hall.text())
        assert "secret" not in hall.text()
        await hall.until(lambda: "»" not in hall.lines()[2])
        await hall.pilot.press("3")
        await hall.until(lambda: "first line" in hall.text())
        with (played.directory / "log").open("a") as log:
            log.write("half")
        with (played.directory / "log").open("a") as log:
            log.write(" a line\x1b[2J\n")
        await hall.until(lambda: "half a line?[2J" in hall.text())
        await hall.pilot.press("escape")
        await hall.until(lambda: isinstance(hall.app.screen, Overview))

    play(stage, scene)


def test_a_journal_and_a_log_may_say_anything(stage: Stage) -> None:
    played = stage.begins("one", **RUNNING)
    written = b"".join(
        journal.pack(event, time)
        for event, time in (
            (e.CreateBegun(creation()), 100.0), (e.JobQueued(7, "\x1b[2J\nso"), float("nan")),
            (e.JobQueued(7, "\x1b[2J\nso"), 1e300), (e.JobQueued(7, "\x1b[2J\nso"), 101.0),
            (e.JobGranted(7, "n"), 102.0), (e.StagingProgress(9, 0, 1, 1, -1), 103.0),
        )
    )  # fmt: skip
    (played.directory / "journal").write_bytes(written)
    (played.directory / "log").write_bytes(b"x" * 100_000)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one          running" in hall.text())
        await hall.pilot.press("enter", "3")
        await hall.until(lambda: "staging in" in hall.text())
        assert "?[2J so" in hall.lines()[1]
        with (played.directory / "log").open("ab") as log:
            log.write(b"\nthe end\xff\n")
        await hall.until(lambda: "the end" in hall.text())
        (played.directory / "journal").write_bytes(written + journal.pack(e.Finished(), 104.0)[:-1] + b"?")
        await hall.until(lambda: "one  running" in hall.text())

    play(stage, scene)


def test_one_that_is_deleted_while_it_is_shown(stage: Stage) -> None:
    played = stage.begins("one", **RUNNING)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one          running" in hall.text())
        await hall.pilot.press("enter")
        await hall.until(lambda: "anchor" in hall.text())
        played.is_deleted()
        await hall.until(lambda: hall.lines()[0].startswith("one  deleted"))
        assert "no process of it runs on this host" in hall.text()

    play(stage, scene)


def test_a_key_is_a_command_and_what_changes_something_is_confirmed(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    """The command is recorded by a program in scrun's place; what it does then, process tests see."""
    calls = tmp_path / "calls"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$@" >>{calls}\necho done\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(acting, "PROGRAM", (str(program),))
    played = stage.begins("one", **RUNNING)
    played.processes = [PROCESS | {"actor": "stdio"}]

    def called() -> list[str]:
        return calls.read_text().splitlines() if calls.exists() else []

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one          running" in hall.text())
        await hall.pilot.press("j")
        await hall.until(lambda: isinstance(hall.app.screen, Outcome))
        assert called() == [f"--root {stage.root} console -- one job"]
        assert "done" in hall.text()
        await hall.pilot.press("escape", "H")
        await hall.until(lambda: isinstance(hall.app.screen, Confirm))
        assert "hold the supervisor of all actors of container one? [y/N]" in hall.text()
        await hall.pilot.press("enter")
        await hall.until(lambda: isinstance(hall.app.screen, Overview))
        assert len(called()) == 1
        await hall.pilot.press("enter")
        await hall.until(lambda: isinstance(hall.app.screen, Page) and "stdio" in hall.text())
        await hall.pilot.press("K")  # the cursor is on the anchor, which is no actor
        await hall.pilot.pause()
        assert isinstance(hall.app.screen, Page)
        lines = [line.split() for line in hall.lines()]
        down = lines.index(["└─stdio", "running", "0"]) - next(n for n, words in enumerate(lines) if "anchor" in words)
        await hall.pilot.press(*["down"] * down, "L")  # this process, the anchor, may have children, which come first
        await hall.until(lambda: isinstance(hall.app.screen, Ask))
        await hall.pilot.press(*"debug", "enter")
        await hall.until(lambda: isinstance(hall.app.screen, Confirm))
        assert "log-level stdio debug of container one? [y/N]" in hall.text()
        await hall.pilot.press("y")
        await hall.until(lambda: len(called()) == 2)
        assert called()[1] == f"--root {stage.root} console --yes -- one log-level stdio debug"
        await hall.until(lambda: isinstance(hall.app.screen, Page))

    play(stage, scene)


def test_the_keys_are_those_of_all_commands(stage: Stage) -> None:
    assert {key.command for key in KEYS} - {"why"} == COMMANDS.keys() - {"containers", "messages"}
    assert len({key.key for key in KEYS} | OTHERS.keys()) == len(KEYS) + len(OTHERS)
    for key in KEYS:
        words = key.words("/r", "x", tuple(key.wants))
        if key.command != "why":
            assert parse(words, Line()).arguments == ["x", key.command, *key.wants]
            asked = COMMANDS[key.command].argument.lower().split()
            assert len(key.wants) == len([word for word in asked if word[0] != "["])
    stage.begins("one", **RUNNING)

    async def scene(hall: Hall) -> None:
        await hall.until(lambda: "one " in hall.text())
        await hall.pilot.press("question_mark")
        await hall.until(lambda: isinstance(hall.app.screen, Outcome))
        assert all(line.rstrip() in hall.text() for line in help_text().splitlines()[:10])

    play(stage, scene)


def test_the_directories_of_all_users_and_what_one_may_have_put_there(stage: Stage, wait_until: WaitUntil) -> None:
    stage.begins("one", **RUNNING)
    (stage.root / "trap").mkdir()
    os.mkfifo(stage.root / "trap/state.json")
    (stage.root / "link").symlink_to(stage.root / "one")
    (stage.root / "liar").mkdir()
    (stage.root / "liar/state.json").write_text(
        '{\n  "status": "running",\n  "scrun": {"anchor": 1, "starttime": 1}\n}'
    )
    places = [(ME, str(stage.root)), (ME + 1, str(stage.root))]
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        roster = stack.enter_context(contextlib.closing(Roster(context, "", lambda: places)))

        def seen() -> list[str]:
            stage.is_told()
            roster.look()
            return [card.id for card in roster.cards.values()]

        wait_until(lambda: seen() == ["one"])
        following = roster.following(str(stage.root))
        assert following is not None
        (stage.root / "one/log").symlink_to("/etc/passwd")
        with pytest.raises(OSError, match="log"):
            following.open("one", "log")


def test_without_textual_it_says_how_to_get_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.delitem(sys.modules, "scrun.console.screen.start")
    monkeypatch.setitem(sys.modules, "textual", None)
    with pytest.raises(SettingsError) as caught:
        run(parse(["--root", str(tmp_path), "console", "--top"], Line()))
    [sentence] = str(caught.value).splitlines()
    words = sentence.partition(": ")[2].split()
    assert words[:4] == [sys.executable, "-m", "pip", "install"]
    assert words[5] in sys.path
    assert words[6:] == ["textual"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--top", "x", "tree"], "takes one id, and no command"),
        (["--top"], "wants a terminal; scrun console containers prints"),
        ([], "wants a container's id, or --top"),
    ],
)
def test_what_is_no_screen(tmp_path: pathlib.Path, words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        run(parse(["--root", str(tmp_path), "console", *words], Line()))
