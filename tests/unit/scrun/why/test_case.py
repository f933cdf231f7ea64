"""What is known of a container, by its journal or by the history of ends, and which one a word means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proto.errors import NotFoundError, UsageError
from proto.life import ends, state_file
from proto.life import events as e
from proto.life.container import Container
from proto.life.ending import Ending
from proto.life.journal import Journal, Record
from scrun.box.box import ABANDONED
from scrun.why.case import Case, case_of, look_up
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

QUEUED = [
    Record(10.0, e.CreateBegun(creation())),
    Record(11.0, e.JobRequested("c")),
    Record(12.0, e.JobQueued(29, "Priority")),
    Record(13.0, e.CreateWaitOver()),
]


def test_a_phase_began_with_the_event_that_brought_it() -> None:
    case, made = case_of("x", QUEUED, anchor_lives=True)
    assert case == Case("x", "queued", 12.0, 29, reason="Priority")
    assert made == creation()


def test_what_nobody_goes_on_with_is_abandoned() -> None:
    case, _ = case_of("x", QUEUED, anchor_lives=False)
    assert (case.phase, case.since, case.job_id) == (ABANDONED, 13.0, 29)


def test_what_is_over_has_no_anchor_and_is_stopped() -> None:
    ending = Ending("cancelled", 137, 0, "gone")
    records = [*QUEUED, Record(20.0, e.JobEnded(ending)), Record(21.0, e.Finished())]
    case, _ = case_of("x", records, anchor_lives=False)
    assert (case.phase, case.since, case.ending, case.ran) == ("stopped", 21.0, ending, False)


@pytest.fixture
def root(tmp_path: pathlib.Path) -> str:
    for name in ("3f2a00", "3f2b", "3f2bc"):
        made = creation(root=str(tmp_path), id=name, cookie=name)
        ends.note(Container(creation=made, ending=Ending("exited", 3), ran=True), 30.0)
    return str(tmp_path)


def test_a_beginning_is_enough_if_it_is_one_containers_only(root: str) -> None:
    case, made = look_up(root, "3f2a")
    assert (case.id, case.phase, case.since, made) == ("3f2a00", "stopped", 30.0, None)
    assert look_up(root, "3f2b")[0].id == "3f2b"  # the whole id of one, the beginning of another
    with pytest.raises(UsageError, match="3 containers begin with 3f: 3f2a00, 3f2b, 3f2bc; give more"):
        look_up(root, "3f")
    with pytest.raises(NotFoundError, match="container 4 does not exist, and is none of the last 500 that ended"):
        look_up(root, "4")


def test_the_number_of_a_job_is_enough_if_it_is_one_containers_only(root: str) -> None:
    for name, job in {"29": 7, "one": 29, "two": 3, "three": 3, "none": 0}.items():
        made = creation(root=root, id=name, cookie=name)
        ends.note(Container(creation=made, ending=Ending("exited", 3), job_id=job), 40.0)
    assert look_up(root, "29")[0].id == "29"  # an id
    assert look_up(root, "7")[0].id == "29"
    with pytest.raises(UsageError, match="2 containers have job 3: three, two; give more of the id"):
        look_up(root, "3")
    with pytest.raises(NotFoundError):
        look_up(root, "0")


def test_the_job_of_a_container_that_lives(root: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "box1").mkdir()
    container = Container(creation=creation(root=root), job="queued", job_id=29)
    (tmp_path / "box1/state.json").write_text(state_file.render(container, 1, 1))
    journal = Journal(str(tmp_path / "box1/journal"))
    for record in QUEUED:
        journal.append(record.event)
    journal.close()
    assert look_up(root, "29")[0].id == "box1"


def test_a_state_directory_that_is_not_there(root: str) -> None:
    with pytest.raises(NotFoundError):
        look_up(f"{root}/nowhere", "x")


@pytest.mark.parametrize("word", ["", "..", "../3f2a", "3f2a/", "a b", ends.DIRECTORY])
def test_a_word_that_is_no_id(root: str, word: str) -> None:
    with pytest.raises(UsageError):
        look_up(root, word)
