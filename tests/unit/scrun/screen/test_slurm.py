"""What the screen asks Slurm: how often, as whom, and what it does without an answer."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from actors.slurm.scheduler import Outlook
from actors.slurm.usage import Usage
from scrun.cli.parsing import Line
from scrun.console.screen.slurm import AGAIN, SOON, Question, Slurm, queue
from scrun.host import Host

if TYPE_CHECKING:
    import pathlib

    from actors.slurm.scheduler import Query
    from tests.conftest import WaitUntil

UID = 1001


class Commands:
    """squeue and sstat that say what they are told to say, and write down that they were called."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        for name in ("squeue", "sstat"):
            program = f'#!/bin/sh\necho "$0 $* SECRET=$SECRET" >>{path}/calls\ncat {path}/{name}.says\n'
            (path / name).write_text(program)
            (path / name).chmod(0o755)
        self.say("squeue", "12|PENDING|400|debug|2026-01-31T12:00:00|Priority|\n")
        self.say("sstat", "12.0|1|cpu=00:01:02,mem=9M|mem=10M\n")

    def say(self, name: str, text: str) -> None:
        (self.path / f"{name}.says").write_text(text)

    def fail(self, name: str) -> None:
        (self.path / f"{name}.says").unlink()

    def calls(self) -> list[str]:
        file = self.path / "calls"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def commands(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Commands:
    found = Commands(tmp_path)
    (tmp_path / "slurm.conf").touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_CONF", str(tmp_path / "slurm.conf"))
    monkeypatch.setenv("SECRET", "hunter2")
    return found


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_squeue_for_all_jobs_that_wait(commands: Commands, wait_until: WaitUntil) -> None:
    clock = Clock()
    with contextlib.closing(Question(Slurm(Host(Line()), UID).waiting, clock)) as question:
        assert queue(question, set()) == {}
        assert commands.calls() == []  # nobody waits
        expected = {12: Outlook("PENDING", "Priority", start="2026-01-31T12:00:00")}
        wait_until(lambda: queue(question, {"12"}) == expected)
        [call] = commands.calls()
        assert call.startswith(f"{commands.path}/squeue -h -t PENDING,CONFIGURING -O ")
        assert call.endswith(f" -u {UID} SECRET=")
        clock.now += AGAIN - 1
        assert queue(question, {"12"}) == expected
        assert len(commands.calls()) == 1
        # One of which nothing is known is asked for sooner, but never at once.
        assert queue(question, {"12", "13", "no number", "9" * 99}) == expected
        wait_until(lambda: (queue(question, {"13"}), len(commands.calls()) == 2)[1])
        clock.now += SOON - 1
        queue(question, {"13"})
        assert len(commands.calls()) == 2
        # Without an answer the last one stands.
        commands.fail("squeue")
        clock.now += AGAIN
        wait_until(lambda: (queue(question, {"12"}), len(commands.calls()) == 3)[1])
        clock.now += AGAIN
        wait_until(lambda: (queue(question, {"12"}), len(commands.calls()) == 4)[1])
        assert queue(question, {"12"}) == expected


def test_all_users_jobs_and_what_a_step_uses(commands: Commands, wait_until: WaitUntil) -> None:
    slurm = Slurm(Host(Line()), None)
    query = slurm.waiting()
    assert query is not None
    assert b"-u" not in query.command.argv
    assert slurm.used("no step") is None
    with contextlib.closing(Question(lambda: slurm.used("12.0"), Clock())) as question:
        wait_until(lambda: question.look(AGAIN) == Usage(62, 9 << 20, 10 << 20))
    assert len(commands.calls()) == 1


@pytest.mark.parametrize("missing", ["scheduler", "program"])
def test_without_slurm_nobody_is_asked(commands: Commands, monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    if missing == "scheduler":
        monkeypatch.setenv("SCRUN_SCHEDULER", "local")
    else:
        monkeypatch.setattr(Host, "find", lambda *_: "")
    slurm = Slurm(Host(Line()), UID)
    found: list[Query[object] | None] = [slurm.waiting(), slurm.used("12.0")]  # type: ignore[list-item]
    assert found == [None, None]
    with contextlib.closing(Question(slurm.waiting, Clock())) as question:
        assert queue(question, {"12"}) == {}
    assert commands.calls() == []
