"""The hot verbs import next to nothing: each module costs every call of every engine."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from proto.host.paths import ContainerPaths
from proto.life import events as e
from proto.life import journal
from tests.unit.creations import creation
from tests.unit.scrun.hub import Hub, anchor

if TYPE_CHECKING:
    from tests.unit.scrun.hub import Reply, Request

CHECKOUT = pathlib.Path(__file__).resolve().parents[2]

# What may be imported beyond the modules that a bare interpreter has.
OS = {"os", "os.path", "posixpath", "genericpath", "stat", "_stat", "_collections_abc", "errno", "abc", "_abc"}
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
EXEC = {
    "_json", "_struct", "actors", "actors.oci", "actors.oci.config_file", "actors.oci.config_form",
    "actors.oci.id_maps", "actors.oci.image_path", "actors.oci.node_process", "actors.process",
    "actors.process.command", "actors.process.forking", "actors.process.looks", "actors.process.pipes",
    "actors.programs", "actors.slurm", "actors.slurm.client", "actors.slurm.commands", "actors.slurm.enter",
    "actors.slurm.entering",
    "actors.slurm.messages", "actors.slurm.oci_conf", "actors.slurm.step_log", "actors.slurm.step_news",
    "actors.slurm.user_namespace", "actors.staging", "actors.staging.home", "actors.stdio", "actors.stdio.mover",
    "actors.stdio.null", "fcntl", "proto.exit_codes", "proto.life.brief", "proto.life.frames", "proto.value",
    "proto.wire", "proto.wire.msgpack_subset", "scrun.cli.given", "scrun.exec", "scrun.exec.carrier",
    "scrun.exec.end_mark", "scrun.exec.launcher", "scrun.exec.process", "select", "struct", "zlib",
    "_socket", "proto.host.sockets", "scrun.hub", "scrun.hub.client", "scrun.hub.zmtp",  # when the program runs
}  # fmt: skip
"""Of a program with pipes, from the first line of ``exec`` to the program's exit status."""
SRUN = """#!/bin/sh
# What srun says of a step whose program has ended with 7.
echo "srun: launching StepId=9.1 on host node1, 1 tasks: 0" >&2
echo "srun: Node node1, 1 tasks started" >&2
exit 7
"""
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


@pytest.mark.slice
@pytest.mark.parametrize("verb", ALLOWED)
def test_a_hot_verb_imports_only_what_it_needs(tmp_path: pathlib.Path, verb: str) -> None:
    with anchor(tmp_path / "x", "created"), Hub(tmp_path / "x", react):
        code, modules = modules_after(["--root", str(tmp_path), verb, "x"])
    assert code == ("1" if verb == "delete" else "0")
    assert modules - OS - OURS - ALLOWED[verb] == {f"scrun.commands.{verb}"}


def test_a_list_is_made_without_what_takes_longest_to_import(tmp_path: pathlib.Path) -> None:
    with anchor(tmp_path / "x", "created"):
        code, modules = modules_after(["--root", str(tmp_path), "list"])
    assert code == "0"
    assert not modules & {"calendar", "json", "re"}


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


@pytest.mark.slice
def test_another_program_imports_only_what_it_needs(tmp_path: pathlib.Path) -> None:
    paths = ContainerPaths(str(tmp_path), "x")
    srun = tmp_path / "srun"
    srun.write_text(SRUN)
    srun.chmod(0o755)
    made = creation(
        root=str(tmp_path), id="x", environ=(b"PATH=" + bytes(tmp_path),),
        caller__namespaced=False, settings__scrun__slurm_conf=str(tmp_path / "slurm.conf"),
    )  # fmt: skip
    process = {"args": ["sleep"], "cwd": "/", "env": [], "user": {"uid": 0, "gid": 0}}
    with anchor(tmp_path / "x", "running"):
        kept = journal.Journal(paths.journal)
        for event in (e.CreateBegun(made), e.JobGranted(9, "node1"), e.StepStarted("9.0", "node1")):
            kept.append(event)
        kept.close()
        pathlib.Path(paths.config).write_text(json.dumps({"process": process}))
        code, modules = modules_after(["--root", str(tmp_path), "exec", "x", "true"])
    assert code == "7"
    assert modules - OS - OURS - EXEC == {"scrun.commands.exec"}


@pytest.mark.parametrize("verb", ALLOWED)
def test_a_failure_imports_no_more(tmp_path: pathlib.Path, verb: str) -> None:
    log = str(tmp_path / "log")
    code, modules = modules_after(["--log", log, "--log-format", "json", "--root", str(tmp_path), verb, "x"])
    assert code == "1"
    assert modules - OS - OURS - ALLOWED[verb] == {f"scrun.commands.{verb}"}
