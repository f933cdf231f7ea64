"""Programs in other languages: every file of Lua compiles, and what scrun carries along is what is sent."""

from __future__ import annotations

import pathlib
import subprocess

import pytest
from lupa import lua54

from actors.programs import program

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]
FOLDERS = ("actors", "examples", "tests", "scrun")
LUA = sorted(path for folder in FOLDERS for path in (CHECKOUT / folder).rglob("*.lua"))
CARRIED = sorted(path.name for path in (CHECKOUT / "actors/programs").iterdir() if path.suffix in {".sh", ".lua"})


def test_there_are_programs() -> None:
    assert {"scrun.lua", "boot.lua", "json.lua"} <= {path.name for path in LUA}
    assert CARRIED


@pytest.mark.parametrize("path", LUA, ids=lambda path: path.name)
def test_lua_compiles(path: pathlib.Path) -> None:
    lua54.LuaRuntime(encoding="latin-1").compile(path.read_bytes())


@pytest.mark.parametrize("name", CARRIED)
def test_what_is_carried_along_is_sent_without_a_shells_comments(name: str) -> None:
    text = program(name)
    assert text.endswith(b"\n")
    if name.endswith(".sh"):
        assert not [line for line in text.splitlines() if line.lstrip().startswith(b"#")]
        subprocess.run(["sh", "-n"], input=text, check=True, timeout=10)
