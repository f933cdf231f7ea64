"""``state.json`` and the room for the next one."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

from actors.state import statefile
from proto.container import Container
from proto.paths import ContainerPaths
from proto.value import replace
from tests.unit.staging.creations import creation

if TYPE_CHECKING:
    import pathlib


def test_what_was_written_once_is_room_for_ever(tmp_path: pathlib.Path) -> None:
    """Whatever is given back somebody else may take: until the end no file is made or removed after the first three."""
    paths = ContainerPaths(str(tmp_path), "x")
    directory = tmp_path / "x"
    directory.mkdir()
    container = Container(creation=creation())
    statefile.keep_room(paths, statefile.write(paths, container, 1, 2))
    files = {path.stat().st_ino for path in directory.iterdir()}
    last = (directory / "state.json.last").stat().st_ino
    assert len(files) == 3
    with contextlib.ExitStack() as held:
        for path in directory.iterdir():
            held.enter_context(path.open())  # the number of one that is open is given to no other file
        for reason in ("short", "a longer reason " * 100, "short again"):
            container = replace(container, job="queued", queue_reason=reason)
            statefile.write(paths, container, 1, 2)
            shown = json.loads((directory / "state.json").read_text())
            assert shown["annotations"]["scrun.job-reason"] == reason
            assert {path.stat().st_ino for path in directory.iterdir()} == files
    statefile.write(paths, replace(container, finished=True), 1, 2)
    assert [path.name for path in directory.iterdir()] == ["state.json"]
    assert (directory / "state.json").stat().st_ino == last
    assert json.loads((directory / "state.json").read_text())["status"] == "stopped"
