"""The state file as the hot verbs read it, against the one that the state actor writes."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from proto.errors import InternalError, NotFoundError
from proto.host.paths import ContainerPaths
from proto.life import events, lifecycle, state_file
from proto.life.creation import Caller, Creation, Log
from proto.life.journal import Record
from proto.life.settings import Settings
from proto.life.state_file import start_time
from scrun.box.box import Box, find

if TYPE_CHECKING:
    import pathlib


def state_text(anchor: int, born: int, status: str = "running") -> str:
    annotations = json.dumps({"a": '\n  "scrun": {"anchor": 1, ', "b": '"status": "x",'}, indent=2)
    return (
        '{\n  "ociVersion": "1.0.2",\n  "id": "x",\n'
        f'  "status": "{status}",\n  "pid": {anchor},\n'
        '  "bundle": "/b",\n  "rootfs": "/b/rootfs",\n  "created": "2026-01-01T00:00:00Z",\n  "owner": "o",\n'
        '  "annotations": ' + annotations.replace("\n", "\n  ") + ",\n"
        f'  "scrun": {json.dumps({"anchor": anchor, "starttime": born, "version": "0"})}\n}}\n'
    )


def creation_of(root: str, name: str) -> Creation:
    """A creation of nothing in particular."""
    values: dict[str, Any] = dict.fromkeys(Creation.__fields__, "") | {
        "id": name,
        "root": root,
        "caller": Caller(1, 1, "", "", "", namespaced=False),
        "log": Log("", "", "info"),
        "settings": Settings(),
        "annotations": {"a": "b"},
        "created": 1.5,
    }
    return Creation(**values)


def make(root: pathlib.Path, text: str, name: str = "x") -> Box:
    (root / name).mkdir()
    (root / name / "state.json").write_text(text)
    return find(str(root), name)


def test_a_living_one(tmp_path: pathlib.Path) -> None:
    text = state_text(os.getpid(), start_time(os.getpid()))
    container = make(tmp_path, text)
    assert (container.status, container.recorded, container.anchor) == ("running", "running", os.getpid())
    assert container.state().decode() == text


def test_one_whose_anchor_has_another_start_time(tmp_path: pathlib.Path) -> None:
    container = make(tmp_path, state_text(os.getpid(), start_time(os.getpid()) + 1))
    state = json.loads(container.state())
    assert (container.status, state["status"], state["pid"]) == ("stopped", "stopped", 0)
    assert state["annotations"]["b"] == '"status": "x",'


def test_one_whose_anchor_is_a_zombie(tmp_path: pathlib.Path) -> None:
    with subprocess.Popen(["/bin/cat"], stdin=subprocess.PIPE) as process:
        born = start_time(process.pid)
        container = make(tmp_path, state_text(process.pid, born))
        assert container.alive()
        assert process.stdin
        process.stdin.close()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert not container.alive()


def test_none(tmp_path: pathlib.Path) -> None:
    with pytest.raises(NotFoundError, match="container x does not exist"):
        find(str(tmp_path), "x")
    (tmp_path / "y").mkdir()
    with pytest.raises(NotFoundError):
        find(str(tmp_path), "y")


@pytest.mark.parametrize("text", ["", "{}", "\0" * 100, '{\n  "status": "running",\n}', '\n  "scrun": {"anchor":x}'])
def test_garbage(tmp_path: pathlib.Path, text: str) -> None:
    with pytest.raises(InternalError, match="cannot be read"):
        make(tmp_path, text)


def test_the_layout_is_that_of_the_state_actor() -> None:
    container = lifecycle.replay([Record(0.0, events.CreateBegun(creation_of("/r", "x")))])
    text = state_file.render(container, os.getpid(), start_time(os.getpid()))
    read = Box(ContainerPaths("/r", "x"), text.encode())
    assert (read.anchor, read.file.born) == (os.getpid(), start_time(os.getpid()))
    assert read.recorded == json.loads(text)["status"]
    assert read.alive()


def test_one_that_was_cleared_up_after_has_no_anchor(tmp_path: pathlib.Path) -> None:
    container = make(tmp_path, state_text(-1, 0, "stopped"))
    assert (container.status, container.alive()) == ("stopped", False)
    with pytest.raises(InternalError):
        make(tmp_path, state_text(-1, 0, "running"), "y")
