"""The console's forms, its command line, and its history; no container."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from proto.errors import SchedulerUnavailableError, UnsupportedError, UsageError
from proto.life import events as e
from proto.life import journal
from scrun.cli.parsing import Line, parse
from scrun.commands.console import run
from scrun.console import dump, job, prompt
from scrun.console.command import Question
from scrun.console.form import line, table
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

COLUMNS = ("a", "number", "data")
ROW = ("x", 1.5, {"key": "\x1b[2J"})


def test_text_is_aligned_and_moves_no_cursor() -> None:
    rows = [ROW, ("long\nword\x1b[2J", None, [])]
    lines = table(COLUMNS, rows, as_json=False).splitlines()
    assert lines[0] == "a              number  data"
    assert lines[1].startswith("x              1.500   {")
    assert lines[2] == "long?word?[2J  -       []"
    assert "\x1b" not in "".join(lines)


def test_json_has_an_object_for_each_row() -> None:
    assert json.loads(table(COLUMNS, [ROW, ROW], as_json=True)) == [dict(zip(COLUMNS, ROW, strict=True))] * 2
    assert table(COLUMNS, [], as_json=True) == "[]\n"
    assert json.loads(line(COLUMNS, ROW, as_json=True)) == dict(zip(COLUMNS, ROW, strict=True))
    assert line(COLUMNS, ROW, as_json=False).startswith("x  1.500  {")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["x", "nope"], "the console has no command 'nope'; it has containers, tree,"),
        (["x", "tree", "more"], "tree takes no argument, not 'more'"),
        (["x", "story"], "story wants the number or the name of an event"),
    ],
)
def test_what_is_no_command(tmp_path: pathlib.Path, words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        run(parse(["--root", str(tmp_path), "console", *words], Line()))


def test_a_container_may_have_the_name_of_a_command(tmp_path: pathlib.Path) -> None:
    with pytest.raises(UsageError, match="no command 'nope'"):
        run(parse(["--root", str(tmp_path), "console", "containers", "nope"], Line()))


def test_the_history_is_the_user_s_own(tmp_path: pathlib.Path) -> None:
    assert prompt.history_file({"HOME": "/h"}) == "/h/.local/state/scrun/console_history"
    assert prompt.history_file({"HOME": "/h", "XDG_STATE_HOME": "/s"}) == "/s/scrun/console_history"
    assert prompt.history_file({}) == prompt.history_file({"HOME": "h"}) == ""
    path = prompt.history_file({"HOME": str(tmp_path)})
    prompt._begin(path)
    prompt._end(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700


def test_what_another_user_has_named_is_not_run(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PATH is in the journal, which is its owner's: root, who looks, runs nothing that is found there."""
    traces = tmp_path / "traces"
    for name in ("squeue", "salloc"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >>{traces}\necho slurm 22.05.8\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "r/x").mkdir(parents=True)
    written = journal.Journal(str(tmp_path / "r/x/journal"))
    written.append(e.CreateBegun(creation(root=str(tmp_path / "r"), environ=(b"PATH=" + os.fsencode(tmp_path),))))
    written.append(e.JobGranted(12, "n1"))
    written.close()
    (tmp_path / "r/x/state.json").write_text('{\n  "status": "stopped",\n  "scrun": {"anchor": 0}\n}')
    about = Question(str(tmp_path / "r"), "x", [str(tmp_path / "dump")])
    with pytest.raises(SchedulerUnavailableError):
        list(job.rows(about))
    list(dump.rows(about))
    assert "slurm slurm 22.05.8\n" in (tmp_path / "dump").read_text()
    assert traces.read_text().split() == ["squeue", "salloc"]
    monkeypatch.setattr(os, "getuid", lambda: -1)
    with pytest.raises(UnsupportedError, match="ask Slurm: scontrol show job 12"):
        list(job.rows(about))
    list(dump.rows(Question(about.root, "x", [str(tmp_path / "other")])))
    assert "slurm its commands are" in (tmp_path / "other").read_text()
    assert traces.read_text().split() == ["squeue", "salloc"]
