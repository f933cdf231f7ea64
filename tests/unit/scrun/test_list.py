"""What ``scrun list`` shows of a state file, and which ones it looks at for all users."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from proto.host.paths import ContainerPaths, default_root
from proto.life import state_file
from proto.life.container import Container
from proto.life.ending import Ending
from proto.value import replace
from scrun.box import all_users
from scrun.box.box import Box
from scrun.commands.list import KEYS, LONG, entry_of, long_row, table
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

ME = os.getuid()
QUEUED = Container(creation=creation(created=100.0), job="queued", job_id=29, queue_reason="Priority")
ENDED = replace(
    QUEUED, job="over", nodes="n1", finished=True, ending=Ending("time-limit", 137, 9, "the job reached its limit")
)


def box_of(container: Container, anchor: int = ME) -> Box:
    text = state_file.render(container, os.getpid() if anchor == ME else anchor, state_file.start_time(os.getpid()))
    return Box(ContainerPaths("/r", "box1"), text.encode())


def test_runcs_keys_are_as_they_were_and_one_is_added() -> None:
    entry = entry_of(box_of(QUEUED))
    assert tuple(entry) == (*KEYS, "scrun")
    assert entry["scrun"] == {"phase": "queued", "job": "29", "nodes": "", "reason": "Priority"}


@pytest.mark.parametrize(
    ("container", "anchor", "row"),
    [
        (QUEUED, ME, ["box1", "creating", "29", "", "queued", "2min", "Priority"]),
        (ENDED, ME, ["box1", "stopped", "29", "n1", "stopped", "2min", "the job reached its limit"]),
        (QUEUED, 1, ["box1", "stopped", "29", "", "abandoned", "2min", "Priority"]),
    ],
)
def test_the_long_row(container: Container, anchor: int, row: list[str]) -> None:
    found = long_row(entry_of(box_of(container, anchor)), 250.0)
    assert [found[name] for name in LONG] == row


def test_a_long_id_is_shown_as_engines_do_and_a_strange_time_not_at_all() -> None:
    entry = entry_of(box_of(QUEUED)) | {"id": "f" * 64, "created": "x"}
    assert (long_row(entry, 250.0)["id"], long_row(entry, 250.0)["age"]) == ("f" * 12, "")


def test_nothing_in_a_table_moves_the_cursor() -> None:
    text = table(("id", "reason"), [{"id": "\x1b[2Jx", "reason": ["\x07\n", 1]}])
    assert text.replace("\n", "").isprintable()
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize("change", [('"annotations": {', '"annotations": [], "x": {'), ('"phase"', "phase")])
def test_what_is_no_state_file_of_scruns(change: tuple[str, str]) -> None:
    box = box_of(QUEUED)
    text = box.file.text.decode().replace(*change)
    with pytest.raises(ValueError, match=r".+"):
        entry_of(Box(box.paths, text.encode()))


# --- all users -----------------------------------------------------------------------------------------------


def test_where_users_have_their_containers_is_where_scrun_puts_them(tmp_path: pathlib.Path) -> None:
    for name in ("run/user/1000", "run/user/no", "tmp/scrun-1001", "tmp/scrun-x", "tmp/other"):
        (tmp_path / name).mkdir(parents=True)
    found = all_users.roots(f"{tmp_path}/run", f"{tmp_path}/tmp")
    assert found == [
        (0, f"{tmp_path}/run/scrun"),
        (1000, f"{tmp_path}/run/user/1000/scrun"),
        (1001, f"{tmp_path}/tmp/scrun-1001"),
    ]
    assert default_root({}) in {"/run/scrun", f"/run/user/{ME}/scrun", f"/tmp/scrun-{ME}"}


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "root"
    for name in ("one", "two"):
        (path / name).mkdir(parents=True)
        (path / name / "state.json").write_bytes(box_of(QUEUED).file.text)
    return path


def ids(root: pathlib.Path, uid: int = ME) -> list[str]:
    return [box.paths.id for box in all_users.boxes(uid, str(root))]


def test_a_users_containers_are_found(root: pathlib.Path) -> None:
    (root / "no id").mkdir()
    (root / "half-made").mkdir()
    (root / "file").touch()
    (root / "garbage").mkdir()
    (root / "garbage/state.json").write_text("garbage")
    assert ids(root) == ["one", "two"]


def test_what_is_another_users_is_not(root: pathlib.Path) -> None:
    assert ids(root, ME + 1) == []
    assert ids(root / "nowhere") == []


def test_no_link_is_followed(root: pathlib.Path, tmp_path: pathlib.Path) -> None:
    (tmp_path / "link").symlink_to(root)
    assert ids(tmp_path / "link") == []
    elsewhere = tmp_path / "elsewhere"
    (root / "one").rename(elsewhere)
    (root / "one").symlink_to(elsewhere)
    assert ids(root) == ["two"]
    (root / "two/state.json").unlink()
    (root / "two/state.json").symlink_to(elsewhere / "state.json")
    assert ids(root) == []


def test_a_fifo_holds_nobody_up(root: pathlib.Path) -> None:
    (root / "one/state.json").unlink()
    os.mkfifo(root / "one/state.json")
    assert ids(root) == ["two"]


def test_a_state_file_that_is_a_link_to_nowhere_or_a_directory(root: pathlib.Path) -> None:
    for name in ("one", "two"):
        (root / name / "state.json").unlink()
    (root / "one/state.json").mkdir()
    (root / "two/state.json").symlink_to("/nowhere")
    assert ids(root) == []


def test_a_number_that_has_no_end_is_none(root: pathlib.Path) -> None:
    text = (root / "one/state.json").read_text()
    (root / "one/state.json").write_text(re.sub(r'"anchor": *\d+', f'"anchor": {"9" * 5000}', text))
    assert "two" in ids(root)


def test_the_text_may_be_anything(root: pathlib.Path) -> None:
    text = (root / "one/state.json").read_text()
    for nonsense in ("[" * 100_000, "1"):
        (root / "one/state.json").write_text(text.replace('"annotations": {', f'"annotations": {nonsense}, "b": {{'))
        (box, _) = all_users.boxes(ME, str(root))
        with pytest.raises((ValueError, RecursionError)):
            entry_of(box)
