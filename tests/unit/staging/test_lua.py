import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lupa import lua54

from actors.slurm.time_text import time_str2mins
from actors.staging.commands import Commands, Result
from actors.staging.lua import json_library
from actors.staging.lua.runtime import LuaApi, LuaScript, ScriptArguments
from actors.staging.lua.yaml_text import json_to_yaml, yaml_to_json
from proto.errors import StagingError

ARGUMENTS = ScriptArguments("box1", "/b", "/spool", "/b/config.json", 42, 1001, 1002)
EMPTY = "function slurm_scrun_stage_in() return 0 end function slurm_scrun_stage_out() return 0 end\n"


class FakeCommands(Commands):
    def __init__(self) -> None:
        self.asked: list[tuple[str, bytes]] = []
        self.answers: list[Result] = []

    def allocator(self, command: bytes) -> Result:
        self.asked.append(("allocator", command))
        return self.answers.pop(0) if self.answers else Result(0, b"")

    def remote(self, command: bytes) -> Result:
        self.asked.append(("remote", command))
        return self.answers.pop(0) if self.answers else Result(0, b"")

    def run(self, argv: Any, _environ: Any = None) -> Result:
        self.asked.append(("run", b" ".join(argv)))
        return self.answers.pop(0) if self.answers else Result(1, b"no accounting")


class Bench:
    """A place to run scripts, with what they said and did."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "scrun.lua"
        self.commands = FakeCommands()
        self.lines: list[tuple[int, str]] = []
        self.api = LuaApi(self.commands, lambda level, text: self.lines.append((int(level), text)), "lab")

    def load(self, source: str | bytes) -> LuaScript:
        self.path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return LuaScript(str(self.path), self.api)

    def stage_in(self, body: str, *job_env: bytes) -> None:
        script = self.load(
            "function slurm_scrun_stage_in(id, bundle, spool, config, job, user, group, env)\n"
            f"{body}\nend\nfunction slurm_scrun_stage_out() end"
        )
        script.stage_in(ARGUMENTS, "/b/rootfs", job_env)

    def said(self, expression: str) -> str:
        """What an expression is, as Lua's text."""
        self.load(f"{EMPTY} slurm.log_info(tostring({expression}))")
        return [text for level, text in self.lines if level == 0][-1]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# --- loading ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end", ["", "return 0", "return nil", "return slurm.SUCCESS", "return SLURM.success", "return '0'"]
)
def test_a_good_script_loads(bench: Bench, end: str) -> None:
    bench.load(EMPTY + end)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = = 1", r"scrun\.lua:1: unexpected symbol"),
        (f"{EMPTY}\nlocal x = nil\nx.y = 1", r"scrun\.lua:4: attempt to index a nil value"),
        ("function slurm_scrun_stage_in() end", "does not define the function slurm_scrun_stage_out"),
        ("local function slurm_scrun_stage_in() end", "does not define the function slurm_scrun_stage_in"),
        (f"{EMPTY} return slurm.ERROR", "returned -1 on load"),
        (f"{EMPTY} error({{code = 7}})", '"code":7'),
        (f"{EMPTY} os.exit(0)", "os.exit"),
    ],
)
def test_a_bad_script_says_what_and_where(bench: Bench, source: str, message: str) -> None:
    with pytest.raises(StagingError, match=message):
        bench.load(source)


def test_a_missing_script(tmp_path: Path) -> None:
    with pytest.raises(StagingError, match="it is not there"):
        LuaScript(str(tmp_path / "none"), Bench(tmp_path).api)


def test_a_first_line_for_the_shell_is_skipped(bench: Bench) -> None:
    with pytest.raises(StagingError, match=r"scrun\.lua:2:"):
        bench.load("#!/usr/bin/lua\nerror('x')")


def test_modules_beside_the_script_are_found(bench: Bench) -> None:
    (bench.path.parent / "site.lua").write_text("return {name = 'ours'}")
    assert bench.said("require('site').name") == "ours"


# --- the two functions --------------------------------------------------------------------------------------------


def test_the_arguments_are_those_of_the_manual(bench: Bench) -> None:
    bench.stage_in(
        "slurm.log_info(string.format('%s %s %s %s %d %d %d', id, bundle, spool, config, job, user, group))\n"
        "for i, entry in ipairs(env) do slurm.log_info('%d %s', i, entry) end\n"
        "slurm.log_info(type(id) .. type(job) .. math.type(user) .. type(env)) return 0",
        b"A=1",
        b"B=2",
    )
    assert [text for _, text in bench.lines] == [
        "box1 /b /spool/ /b/config.json 42 1001 1002",
        "1 A=1",
        "2 B=2",
        "stringnumberintegertable",
    ]


def test_the_arguments_of_stage_out(bench: Bench) -> None:
    script = bench.load(
        "function slurm_scrun_stage_in() end\nfunction slurm_scrun_stage_out(...)\n"
        "slurm.log_info(table.concat({...}, ' ')) return 0 end"
    )
    script.stage_out(ARGUMENTS, "/orig", "/b/root", "/orig/root")
    assert bench.lines[-1][1] == "box1 /b /orig /b/root /orig/root /spool/ /b/config.json 42 1001 1002"


@pytest.mark.parametrize("value", ["0", "'0'", "slurm.SUCCESS", "0.0", "nil", "true", "'done'", "{}"])
def test_what_counts_as_success(bench: Bench, value: str) -> None:
    bench.stage_in(f"return {value}")


@pytest.mark.parametrize(("value", "shown"), [("1", "1"), ("slurm.ERROR", "-1"), ("'7'", "7"), ("slurm.FAILURE", "-1")])
def test_what_counts_as_failure(bench: Bench, value: str, shown: str) -> None:
    with pytest.raises(StagingError, match=f"slurm_scrun_stage_in returned {shown}"):
        bench.stage_in(f"return {value}")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("error('boom')", r"scrun\.lua:2: boom"),
        ("error({message = 'from a table'})", "from a table"),
        ("error({a = {1, 2}})", r'\{"a":\[1,2\]\}'),
        ("error(setmetatable({}, {__tostring = function() return 'by name' end}))", "by name"),
        ("error()", "nil"),
        ("local t = nil; return t.x", r"scrun\.lua:2: attempt to index"),
        ("local s = slurm.allocator_command(nil)", r"scrun\.lua:2: .*string expected, got nil"),
    ],
)
def test_no_error_is_lost(bench: Bench, body: str, message: str) -> None:
    with pytest.raises(StagingError, match=message):
        bench.stage_in(body)


def test_bytes_come_back_as_they_went_in(bench: Bench) -> None:
    bench.commands.answers.append(Result(3, b"out\0put\xff"))
    bench.stage_in(
        "local status, output = slurm.allocator_command(env[1])\nslurm.remote_command(output .. status)", b"\xfe\0\xc3"
    )
    assert bench.commands.asked == [("allocator", b"\xfe\0\xc3"), ("remote", b"out\0put\xff3")]


def test_paths_are_set_and_the_old_ones_returned(bench: Bench) -> None:
    bench.stage_in("slurm.log_info(slurm.set_bundle_path('/new') .. slurm.set_root_path('/new/r'))")
    assert bench.lines[0] == (0, "/b/b/rootfs")
    assert (bench.api.bundle, bench.api.rootfs) == ("/new", "/new/r")


# --- slurm.* ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ("log_info('100% of %s')", (0, "100% of %s")),
        ("log_info('%d%%', 5)", (0, "5%")),
        ("log_info('%d', 'x')", (0, "%d x")),
        ("log_error('e')", (-1, "e")),
        ("error('e')", (-1, "e")),
        ("log_verbose('v')", (1, "v")),
        ("log_debug('d')", (2, "d")),
        ("log_debug2('d')", (3, "d")),
        ("log_debug3('d')", (4, "d")),
        ("log_debug4('d')", (5, "d")),
        ("log_user('u')", (0, "u")),
        ("log(3, 'm')", (3, "m")),
        ("log('m', 3)", (3, "m")),
        ("log(99, 'm')", (5, "m")),
    ],
)
def test_logging(bench: Bench, call: str, expected: tuple[int, str]) -> None:
    bench.load(f"{EMPTY} slurm.{call}")
    assert bench.lines == [expected]


def test_a_negative_level_says_nothing_and_print_says_it(bench: Bench) -> None:
    bench.load(f"{EMPTY} slurm.log(-1, 'm') print('a', 1, nil)")
    assert bench.lines == [(0, "a\t1\tnil")]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("slurm.SUCCESS", "0"),
        ("slurm.ERROR", "-1"),
        ("SLURM == slurm", "true"),
        ("slurm.CLUSTER_NAME", "lab"),
        ("slurm.NO_VAL", "4294967294"),
        ("slurm.ESLURM_INVALID_PARTITION_NAME", "2000"),
        ("python", "nil"),
        ("pcall(require, 'python')", "false"),
        ("package.loaded.python", "nil"),
        ("slurm.get_qos_priority('normal')", "nil"),
        ("slurm.time_str2mins('1-02:03:04')", "1564"),
    ],
)
def test_what_a_script_finds(bench: Bench, expression: str, expected: str) -> None:
    assert bench.said(expression) == expected


def test_a_priority_that_accounting_knows(bench: Bench) -> None:
    bench.commands.answers.append(Result(0, b"250\n"))
    assert bench.said("slurm.get_qos_priority('high') + 1") == "251"


def test_scripts_get_no_objects_of_python(bench: Bench) -> None:
    bench.stage_in(
        "for name, value in pairs(slurm) do\n"
        "  if type(value) == 'userdata' then error(name .. ' is an object of Python') end\n"
        "end\n"
        "for name, value in pairs(_G) do if type(value) == 'userdata' then error(name) end end\n"
        # debug reaches what is behind the functions; it must lead nowhere
        "local _, f = debug.getupvalue(slurm.set_bundle_path, 2)\n"
        "for i = 1, 9 do\n"
        "  local _, object = debug.getupvalue(slurm.set_bundle_path, i)\n"
        "  if type(object) == 'userdata' then\n"
        "    for _, key in ipairs {'__globals__', '__self__', '__class__', '__closure__'} do\n"
        "      if pcall(function() return object[key] end) then error('reached ' .. key) end\n"
        "    end\n"
        "  end\n"
        "end return 0"
    )


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("5", 5), ("5:01", 6), ("5:00", 5), ("1:00:00", 60), ("0:00:01", 1), ("1-", 1440), ("1-2", 1560),
        ("1-02:30", 1590), ("1-02:03:04", 1564), ("-1", -1), ("INFINITE", -1), ("unlimited", -1), ("0", 0),
        ("", -2), ("x", -2), ("1:2:3:4", -2), ("1-2-3", -2), ("5:", -2), ("-5", -2), (" 5", -2),
    ],
)  # fmt: skip
def test_lengths_of_time(text: str, minutes: int) -> None:
    assert time_str2mins(text) == minutes


# --- JSON ---------------------------------------------------------------------------------------------------------


def round_trip(text: bytes) -> bytes:
    runtime: Any = lua54.LuaRuntime(encoding=None, source_encoding="latin-1")
    module = runtime.execute(json_library.SOURCE)
    result = module[b"encode"](module[b"decode"](text))
    assert isinstance(result, bytes)
    return result


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def typed(value: Any) -> Any:
    """Equality that tells 1 from 1.0 and True."""
    if isinstance(value, dict):
        return {name: typed(member) for name, member in value.items()}
    if isinstance(value, list):
        return [typed(member) for member in value]
    return type(value).__name__, value


@given(values, st.booleans())
def test_json_goes_through_lua_unchanged(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    result = json.loads(round_trip(text).decode("utf-8", "surrogatepass"))
    assert typed(result) == typed(value)


@pytest.mark.parametrize(
    "text",
    [b'{"a":[],"b":{}}', b"[[],{},[{}]]", b'{"limit":18446744073709551615}', b'{"a":null,"b":[null,1]}', b'"\xff\xfe"',
     b'{"n":-9223372036854775808}', b'"\\u0000\\u001f"'],
)  # fmt: skip
def test_json_text_that_comes_out_as_it_went_in(text: bytes) -> None:
    assert round_trip(text) == text


def test_a_null_is_absent_for_the_script_and_can_be_replaced(bench: Bench) -> None:
    source = """slurm.to_json((function() local t = slurm.from_json('{"a":null,"b":null}')
        assert(t.a == nil) t.a = 1 t.c = require('json').null return t end)())"""
    assert bench.said(source) == '{"a":1,"b":null,"c":null}'


def test_big_numbers_can_be_compared(bench: Bench) -> None:
    assert bench.said("slurm.from_json('[18446744073709551615]')[1] > 5") == "true"
    assert bench.said("tostring(slurm.from_json('[18446744073709551615]')[1])") == "18446744073709551615"


def test_arrays_that_became_empty_and_tables_of_the_script(bench: Bench) -> None:
    assert (
        bench.said("slurm.to_json((function() local t = slurm.from_json('[1]') table.remove(t) return t end)())")
        == "[]"
    )
    assert (
        bench.said("slurm.to_json((function() local t = slurm.from_json('{\"a\":1}') t.a = nil return t end)())")
        == "{}"
    )
    assert bench.said("slurm.to_json({a = {1, 2.5, 'x'}, b = {}, c = true})") == '{"a":[1,2.5,"x"],"b":[],"c":true}'
    assert bench.said("slurm.to_json({[1] = 1, [3] = 3})") == '{"1":1,"3":3}'
    assert bench.said("slurm.to_json(require('json').object())") == "{}"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1,]", '{"a":1,}', "{'a':1}", "tru", "01", "1.", "+1", "[1 2]", '"\\x"', '"a\nb"', '"open', "1 2", "nan",
     '{"a" 1}', "{1:2}", '"\\u12"', "-", "1e", "\\"],
)  # fmt: skip
def test_text_that_is_not_json(text: str) -> None:
    with pytest.raises(ValueError, match="line"):
        json.loads(text)
    with pytest.raises(lua54.LuaError, match="JSON, line"):
        round_trip(text.encode())


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(function() local t = {} t.t = t return t end)()", "contains itself"),
        ("(function() local t = {} for i = 1, 500 do t = {t} end return t end)()", "nested too deep"),
        ("{f = print}", "function"),
        ("0/0", "not finite"),
        ("{[true] = 1}", "boolean"),
    ],
)
def test_tables_that_cannot_be_written(bench: Bench, expression: str, message: str) -> None:
    assert message in bench.said(f"select(2, pcall(slurm.to_json, {expression}))")


def test_deep_text_is_refused_and_not_a_crash() -> None:
    with pytest.raises(lua54.LuaError, match="nested too deep"):
        round_trip(b"[" * 100000)


# --- YAML ---------------------------------------------------------------------------------------------------------


def test_yaml(bench: Bench) -> None:
    assert json_to_yaml(b'{"a":[1,{"b":"x","yes":null}],"c":{},"d d":true,"e":[[2]]}').decode() == (
        'a:\n  - 1\n  - b: "x"\n    "yes": null\nc: {}\n"d d": true\ne:\n  - - 2\n'
    )
    assert yaml_to_json(b'{"a":1}') == b'{"a":1}'
    assert bench.said("""slurm.from_yaml('{"a": [1, 2]}').a[2]""") == "2"
    assert bench.said("""slurm.from_yaml("a:\\n  - 1\\n  - two\\n").a[2]""") == "two"
