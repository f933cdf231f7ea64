"""The stages of a container's life, from its journal, and its processes as a tree."""

from __future__ import annotations

import pytest

from proto.life import events as e
from proto.life.ending import Ending
from proto.life.journal import Record
from scrun.console.screen.card import Actor
from scrun.console.screen.timeline import STAGES, bar_of, lines, read
from scrun.console.screen.tree import Process, tree
from tests.unit.creations import creation

EXITED = Ending("exited", 7)
LIFE = (
    e.CreateBegun(creation()), e.JobRequested("c"), e.JobQueued(7, "Resources"), e.JobGranted(7, "n1"),
    e.StagingProgress(1, 2, 10, 50, 100), e.StagedIn("/b", "/b/r", ()), e.CreateAnswered(), e.StartRequested("r"),
    e.LaunchRequested(), e.StepStarted("7.0", "n1"), e.StepEnded(EXITED), e.OutputDrained(0, 1, 2), e.StagedOut(),
    e.JobReleased(), e.Finished(),
)  # fmt: skip
RECORDS = tuple(Record(1000.0 + 10 * number, event) for number, event in enumerate(LIFE))


def test_each_stage_has_its_time() -> None:
    found = {stage.name: (stage.begin, stage.end) for stage in read(RECORDS).stages}
    assert found == {
        "queued": (1010.0, 1030.0),
        "staging in": (1030.0, 1050.0),
        "launching": (1080.0, 1090.0),
        "running": (1090.0, 1100.0),
        "staging out": (1100.0, 1120.0),
    }
    assert read(RECORDS).container.finished


@pytest.mark.parametrize("count", range(len(RECORDS) + 1))
def test_at_each_moment_one_stage_at_most_goes_on(count: int) -> None:
    stages = read(RECORDS[:count]).stages
    assert tuple(stage.name for stage in stages) == STAGES
    assert sum(stage.begin is not None and stage.end is None for stage in stages) <= 1


def test_a_line_says_when_how_long_and_how_far() -> None:
    said = lines(read(RECORDS[:5]), 1100.0, {"staging in": "10 files"}, over=False)
    assert said[0].split() == ["queued", said[0].split()[1], "20", "s"]
    assert "1 min" in said[1]
    assert said[1].endswith(f"» {bar_of(0.25)} 10 files")
    assert said[2] == "launching   -"
    over = lines(read(RECORDS[:5]), 9999.0, {}, over=True)
    assert "»" not in "".join(over)  # nobody goes on with it


def test_a_bar_is_as_long_whatever_it_says() -> None:
    assert {len(bar_of(share)) for share in (-1.0, 0.0, 0.5, 1.0, 7.0)} == {10}


def test_the_tree_has_what_the_kernel_says_and_who_does_not_run() -> None:
    below = {1: [2, 3, 5], 3: [4], 5: []}
    names = {2: "python3", 4: "sh", 5: "salloc"}
    actors = {"stdio": Actor(3, 1, 0, "running", ""), "staging": Actor(0, 1, 0, "stopped", "not needed now")}
    found = tree(1, actors, lambda pid: below.get(pid, []), lambda pid: names[pid])
    assert [(process.branch + process.name, process.pid) for process in found] == [
        ("anchor", 1), ("├─python3", 2), ("├─stdio", 3), ("│ └─sh", 4), ("├─salloc", 5), ("└─staging", 0),
    ]  # fmt: skip
    assert [process.actor is not None for process in found] == [False, False, True, False, False, True]
    assert Process("", "stdio", 3, actors["stdio"]).key == Process("", "stdio", 9, actors["stdio"]).key


def test_a_tree_that_never_ends_is_cut() -> None:
    assert len(tree(1, {}, lambda pid: [pid, pid], str)) < 300
