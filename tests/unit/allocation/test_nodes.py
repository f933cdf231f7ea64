"""Whether a step has lost a node: events in, effects out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from actors.allocation.nodes import AGAIN, LOOK, LOST_LIMIT, SOON, Nodes
from actors.process.command import Command
from actors.process.effects import Effect, Later, Log, Never, ToAnchor
from actors.process.spool import Spool
from actors.slurm import lost_nodes
from actors.slurm.scheduler import Query
from actors.slurm.slurm import Slurm
from actors.slurm.step_news import StepNews
from proto.exit_codes import KILL
from proto.life import talk
from tests.unit.creations import creation

if TYPE_CHECKING:
    from pathlib import Path

STEP = StepNews(started=True, step_id="9.0", nodes="node1,node2")
LATER = Later("nodes", LOOK)
SECOND = Later("nodes", AGAIN)
REBOOTED = (
    "NodeName=node1 BootTime=2026-11-28T03:31:46\nNodeName=node2 BootTime=2026-11-29T03:31:46\n"
    "9.0 StartTime=2026-11-29T03:29:30\n"
)
SENTENCE = "node node2 was started anew while the container ran"


class Told(Slurm):
    """Slurm, but no command is looked up."""

    def loss(self, job_id: int, step: StepNews) -> Query[lost_nodes.Loss | None]:
        command = Command((b"loss", b"%d" % job_id, step.nodes.encode()), ())
        return Query(command, partial(lost_nodes.read, step_id=step.step_id, nodes=step.nodes))

    def kill_program(self, step_id: str) -> Command:
        return Command((b"kill", step_id.encode()), ())

    def signal(self, step_id: str, signum: int) -> Command:
        return Command((b"signal", step_id.encode(), b"%d" % signum), ())


class Watched:
    """The nodes of a step, whose srun has as many connections as ``count`` says."""

    def __init__(self, root: Path) -> None:
        (root / "box1").mkdir()
        self.count: int | None = 2
        self.spool = Spool(creation(root=str(root)))
        self.nodes = Nodes(Told(creation(root=str(root))), self.spool, lambda _: self.count)

    def look(self) -> list[Effect]:
        return self.nodes.look(9, STEP)

    def answer(self, text: str) -> list[Effect]:
        with open(self.spool.path("loss-1"), "w", encoding="utf-8") as file:
            file.write(text)
        return self.nodes.told("loss-1", 9, STEP)


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


@pytest.mark.parametrize("count", [2, 3, None])
def test_nobody_is_asked_while_the_connections_are_there_or_cannot_be_seen(watched: Watched, count: int | None) -> None:
    watched.count = count
    assert [watched.look() for _ in range(3)] == [[LATER]] * 3


def test_one_look_may_come_while_the_step_ends(watched: Watched) -> None:
    watched.count = 1
    assert watched.look() == [SECOND]
    watched.count = 2
    assert watched.look() == [LATER]
    watched.count = 1
    assert watched.look() == [SECOND]


def test_slurm_is_asked_at_the_second_look_and_again_until_it_knows(watched: Watched) -> None:
    watched.count = 0
    assert watched.look() == [SECOND]
    command = Command((b"loss", b"9", b"node1,node2"), ())
    assert watched.look() == [watched.spool.ask("loss-1", command), LATER]
    assert watched.answer("") == []
    assert watched.look() == [watched.spool.ask("loss-2", command), LATER]


def test_a_node_that_was_booted_ends_the_step(watched: Watched) -> None:
    watched.count = 0
    kill = watched.spool.act("lost", Command((b"signal", b"9.0", b"%d" % KILL), ()))
    assert watched.answer(REBOOTED) == [Log("error", SENTENCE), Never("nodes"), kill, Later("lost", LOST_LIMIT)]
    assert watched.nodes.lost == SENTENCE
    assert watched.answer(REBOOTED) == []
    assert watched.look() == []
    assert watched.nodes.let_srun_go() == [Never("lost"), ToAnchor(talk.SignalCommand("step", KILL))]


def test_a_daemon_that_is_gone_leaves_an_orphan(watched: Watched) -> None:
    kill = watched.spool.act("lost", Command((b"kill", STEP.step_id.encode()), ()))
    assert kill in watched.answer("9.0 StartTime=2026-11-29T03:29:30\nProcesses=\n")
    assert "slurmstepd" in watched.nodes.lost


def test_nobody_need_be_there_while_all_connections_are(watched: Watched) -> None:
    assert watched.nodes.rest(9, STEP) == talk.Rest()
    watched.nodes.srun = 77
    assert watched.nodes.rest(9, STEP) == talk.Rest(launcher=77, connections=2)
    watched.count = 1
    watched.look()
    assert watched.nodes.rest(9, STEP) is None


def test_who_is_back_looks_soon(watched: Watched) -> None:
    assert watched.nodes.begin(soon=False) == LATER
    assert watched.nodes.begin(soon=True) == Later("nodes", SOON)
