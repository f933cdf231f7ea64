"""docs/lua.md against what a script finds: both functions' arguments, ``slurm`` and ``json``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from actors.staging.commands import OUTPUT_LIMIT, Commands
from actors.staging.loglevel import Level
from actors.staging.lua.runtime import STAGE_IN, STAGE_OUT, LuaApi, LuaScript, ScriptArguments
from actors.staging.lua.slurm_constants import constants
from proto.value import as_dict
from tests.unit.docs import markdown

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT = "docs/lua.md"
TEXT = markdown.text(DOCUMENT)
ARGUMENTS = markdown.table(DOCUMENT, "The two functions", "argument")
FUNCTIONS = markdown.table(DOCUMENT, "slurm", "function")
SAY_ALL = f"""
local function say(name, ...)
  for at = 1, select("#", ...) do
    local value = select(at, ...)
    slurm.log_info("argument " .. name .. " " .. (type(value) == "table" and value[1] or tostring(value)))
  end
end
function {STAGE_IN}(...) say("in", ...) end
function {STAGE_OUT}(...) say("out", ...) end
for name, value in pairs(slurm) do slurm.log_info("slurm " .. name .. " " .. type(value)) end
for name, value in pairs(require "json") do slurm.log_info("json " .. name .. " " .. type(value)) end
"""


class Script:
    """One that tells all that it has been given."""

    def __init__(self, directory: Path) -> None:
        self.said: list[tuple[int, list[str]]] = []
        path = directory / "scrun.lua"
        path.write_text(SAY_ALL)
        api = LuaApi(
            Commands((), lambda _: ((), ()), lambda *_: None),
            lambda level, text: self.said.append((int(level), text.split())),
            "lab",
        )
        self.script = LuaScript(str(path), api)

    def names(self, of: str, *, functions: bool) -> list[str]:
        found = [words for _, words in self.said if words[0] == of]
        return [name for _, name, kind in found if (kind == "function") == functions]

    def arguments(self, of: str) -> list[str]:
        return [words[2] for _, words in self.said if words[:2] == ["argument", of]]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def parameters(function: str) -> list[str]:
    found = re.search(rf"^    {function}\((.*?)\)", TEXT, re.MULTILINE | re.DOTALL)
    assert found is not None
    return re.findall(r"\w+", found[1])


def test_the_arguments_of_both_functions_are_those_of_the_document_in_its_order(script: Script) -> None:
    arguments = ScriptArguments("id", "bundle", "spool_dir", "config_file", 1, 2, 3)
    known = {name: str(value) for name, value in as_dict(arguments).items()} | {"spool_dir": "spool_dir/"}
    known["job_env"] = "job_env"
    script.script.stage_in(arguments, "nowhere", [b"job_env"])
    assert script.arguments("in") == [known[name] for name in parameters(STAGE_IN)]
    known |= {name: name for name in ("orig_bundle", "root_path", "orig_root_path")}
    script.script.stage_out(arguments, "orig_bundle", "root_path", "orig_root_path")
    assert script.arguments("out") == [known[name] for name in parameters(STAGE_OUT)]
    explained = markdown.spans(" ".join(ARGUMENTS.column("argument")))
    assert set(explained) <= set(parameters(STAGE_IN)) | set(parameters(STAGE_OUT))


def test_every_function_of_slurm_has_a_row_and_no_other(script: Script) -> None:
    cells = " ".join(FUNCTIONS.column("function")).replace("` … `", "` `log_debug2` `log_debug3` `")
    documented = {span.partition("(")[0] for span in markdown.spans(cells)}
    assert documented == set(script.names("slurm", functions=True))


def test_the_numbers_of_slurm_are_there(script: Script) -> None:
    sentence = re.search(r"`slurm` also has Slurm's numbers: (.*?), the flags", markdown.flat(DOCUMENT))
    assert sentence is not None
    there = set(script.names("slurm", functions=False))
    assert {*markdown.spans(sentence[1]), "success"} <= there
    assert there == {*constants(), "CLUSTER_NAME"}


def test_the_levels_of_log(script: Script) -> None:
    row = next(words for function, words in FUNCTIONS.rows if function.startswith("`log(level"))
    said = re.match(r"(\d) info, (\d) verbose, (\d) to (\d) debug;", row)
    assert said is not None
    assert [int(number) for number in said.groups()] == [Level.INFO, Level.VERBOSE, Level.DEBUG, Level.DEBUG4]
    assert {level for level, _ in script.said} == {int(Level.INFO)}


def test_the_module_json(script: Script) -> None:
    sentence = re.search(r"It has (.*?)\. What a script", markdown.flat(DOCUMENT))
    assert sentence is not None
    names = {*script.names("json", functions=True), *script.names("json", functions=False)}
    assert {span.partition("(")[0] for span in markdown.spans(sentence[1])} == names - {"_VERSION"}


def test_how_much_a_command_may_say() -> None:
    assert f"up to {OUTPUT_LIMIT >> 20} MiB" in markdown.flat(DOCUMENT)
