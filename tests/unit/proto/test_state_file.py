"""``state.json`` and the room for the next one."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from proto.host.paths import ContainerPaths
from proto.life import state_file
from proto.life.container import Container
from proto.life.creation import STOP_SIGNAL
from proto.life.state_file import StateFile, render
from proto.value import replace
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

REASONS = ("short", "a longer reason " * 100, "short again")


@pytest.fixture
def paths(tmp_path: pathlib.Path) -> ContainerPaths:
    (tmp_path / "x").mkdir()
    found = ContainerPaths(str(tmp_path), "x")
    state_file.keep_room(found, write(found, waiting("")))
    return found


def waiting(reason: str) -> Container:
    return Container(creation=creation(), job="queued", queue_reason=reason)


def write(paths: ContainerPaths, container: Container) -> int:
    return state_file.write(paths, state_file.render(container, 1, 2), last=container.finished)


def numbers(directory: pathlib.Path) -> set[int]:
    return {path.stat().st_ino for path in directory.iterdir() if path.is_file()}


def reason(text: str) -> str:
    return str(json.loads(text)["annotations"]["scrun.job-reason"])


def test_a_reader_keeps_what_it_has_opened(paths: ContainerPaths, tmp_path: pathlib.Path) -> None:
    with contextlib.ExitStack() as opened:
        readers = []
        for each in REASONS:
            write(paths, waiting(each))
            readers.append(opened.enter_context((tmp_path / "x/state.json").open()))
        assert [reason(reader.read()) for reader in readers] == list(REASONS)
    names = ["state.json", "state.json.last", "state.json.next"]
    assert sorted(path.name for path in (tmp_path / "x").iterdir()) == names


def test_without_room_for_a_fresh_file_none_is_given_back(paths: ContainerPaths, tmp_path: pathlib.Path) -> None:
    """Whatever is given back somebody else may take."""
    directory = tmp_path / "x"
    (directory / "state.json.next.fresh").mkdir()
    files = numbers(directory)
    last = (directory / "state.json.last").stat().st_ino
    assert len(files) == 3
    with contextlib.ExitStack() as held:
        for path in directory.iterdir():
            if path.is_file():
                held.enter_context(path.open())  # the number of one that is open is given to no other file
        for each in REASONS:
            write(paths, waiting(each))
            assert reason((directory / "state.json").read_text()) == each
            assert numbers(directory) == files
    write(paths, replace(waiting(""), finished=True))
    assert numbers(directory) == {last}
    assert json.loads((directory / "state.json").read_text())["status"] == "stopped"


@pytest.mark.parametrize(
    ("terminal", "annotations", "window"),
    [
        (False, {}, False),
        (True, {}, True),
        (True, {STOP_SIGNAL: "15"}, True),
        (True, {STOP_SIGNAL: "28"}, False),
    ],
)
def test_whether_winch_tells_a_size_only(terminal: bool, annotations: dict[str, str], window: bool) -> None:
    made = creation(terminal=terminal, annotations=annotations)
    assert StateFile(render(Container(creation=made), 1, 1).encode()).window is window
