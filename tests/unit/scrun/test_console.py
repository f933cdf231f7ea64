"""The console's forms, its command line, and its history; no container."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest

from proto.errors import UsageError
from scrun.cli.parsing import Line, parse
from scrun.commands.console import run
from scrun.console import prompt
from scrun.console.form import line, table

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
