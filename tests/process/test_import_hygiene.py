"""The hot verbs import next to nothing: each module costs every call of every engine."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.unit.scrun.hub import Hub, anchor

if TYPE_CHECKING:
    from tests.unit.scrun.hub import Reply, Request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# What may be imported beyond the modules that a bare interpreter has.
OS = {"os", "os.path", "posixpath", "genericpath", "stat", "_stat", "_collections_abc", "errno"}
OURS = {
    "proto", "proto.errors", "proto.host", "proto.host.log_record", "proto.host.machine", "proto.host.paths",
    "proto.life", "proto.life.state_file", "scrun", "scrun.main", "scrun.box", "scrun.box.box", "scrun.cli",
    "scrun.cli.grammar", "scrun.cli.parsing", "scrun.cli.root", "scrun.commands", "scrun.report",
    "scrun.report.diagnostics", "scrun.report.lines",
}  # fmt: skip
TALK = {
    "_socket", "struct", "_struct", "proto.host.sockets", "proto.wire", "proto.wire.msgpack_subset", "proto.exit_codes",
    "scrun.hub",
    "scrun.hub.client", "scrun.hub.zmtp",
}  # fmt: skip
ALLOWED = {
    "state": set(),
    "start": TALK,
    "kill": TALK,
    "delete": TALK | {"fcntl", "proto.host.trees", "scrun.box.directory", "scrun.delete", "scrun.delete.removal"},
}
REPORT = """
import sys
bare = set(sys.modules)
sys.path.insert(0, {root!r})
from scrun.main import main
sys.argv = {argv!r}
code = main(sys.argv)
print(code, *sorted(set(sys.modules) - bare), file=sys.stderr)
"""


def modules_after(argv: list[str]) -> tuple[str, set[str]]:
    """Exit status of a command line, and what it imported."""
    program = REPORT.format(root=str(CHECKOUT), argv=argv)
    done = subprocess.run([sys.executable, "-IS", "-c", program], capture_output=True, text=True, check=True)
    code, *modules = done.stderr.splitlines()[-1].split()
    return code, set(modules)


def react(request: Request) -> Reply:
    if request[3] == "delete":
        return "failed", {"code": "wrong-state", "sentence": "not now"}
    return "done", {}


def naming(words: str) -> set[str]:
    """The files that name what the words, a pattern, are."""
    files = [path for folder in ("actors", "proto", "scrun") for path in (CHECKOUT / folder).rglob("*.py")]
    named = [path for path in files if re.search(words, path.read_text())]
    return {path.relative_to(CHECKOUT).with_suffix("").as_posix() for path in named}


def test_no_verb_but_the_console_imports_what_the_screen_needs() -> None:
    outside = naming(r"(import|from) (textual|rich)\b|console\.screen")
    assert {name for name in outside if not name.startswith("scrun/console/screen/")} == {"scrun/commands/console"}
    # And that only when it is asked for the screen.
    assert not re.search(
        r"^(from|import).*(screen|textual)", (CHECKOUT / "scrun/commands/console.py").read_text(), re.MULTILINE
    )


def test_no_verb_but_the_exporter_imports_what_it_needs() -> None:
    assert naming(r"prometheus_client|scrun\.exporter") == {
        "scrun/commands/exporter",
        "scrun/exporter/registry",
        "scrun/exporter/serving",
    }


@pytest.mark.parametrize("verb", ALLOWED)
def test_a_hot_verb_imports_only_what_it_needs(tmp_path: pathlib.Path, verb: str) -> None:
    with anchor(tmp_path / "x", "created"), Hub(tmp_path / "x", react):
        code, modules = modules_after(["--root", str(tmp_path), verb, "x"])
    assert code == ("1" if verb == "delete" else "0")
    assert modules - OS - OURS - ALLOWED[verb] == {f"scrun.commands.{verb}"}


def test_deleting_a_stopped_container_imports_only_what_it_needs(tmp_path: pathlib.Path) -> None:
    with anchor(tmp_path / "x", "stopped"):
        pass
    code, modules = modules_after(["--root", str(tmp_path), "delete", "x"])
    assert code == "0"
    assert modules - OS - OURS - ALLOWED["delete"] == {"scrun.commands.delete"}
    assert list(tmp_path.iterdir()) == []


def test_the_hooks_of_another_verb_cost_no_process(tmp_path: pathlib.Path) -> None:
    with anchor(tmp_path / "x", "created"), Hub(tmp_path / "x", react):
        (tmp_path / "x/hooks").write_text('{"poststop": [{"path": "/bin/false", "args": [], "env": [], "timeout": 1}]}')
        code, modules = modules_after(["--root", str(tmp_path), "start", "x"])
    assert code == "0"
    assert "scrun.hooks.moments" in modules
    assert "subprocess" not in modules


@pytest.mark.parametrize("verb", ALLOWED)
def test_a_failure_imports_no_more(tmp_path: pathlib.Path, verb: str) -> None:
    log = str(tmp_path / "log")
    code, modules = modules_after(["--log", log, "--log-format", "json", "--root", str(tmp_path), verb, "x"])
    assert code == "1"
    assert modules - OS - OURS - ALLOWED[verb] == {f"scrun.commands.{verb}"}
