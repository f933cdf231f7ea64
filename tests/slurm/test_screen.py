"""What root's screen shows of a user's containers on the cluster, and what its keys do to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest
import zmq

from scrun.cli.parsing import Line
from scrun.console.screen.acting import carried_out
from scrun.console.screen.close_up import CloseUp
from scrun.console.screen.keys import KEYS
from scrun.console.screen.roster import Roster
from scrun.console.screen.rows import reason
from scrun.console.screen.slurm import Slurm
from scrun.console.screen.watching import Watching
from scrun.host import Host
from tests.slurm.test_queue import WAITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scrun.console.screen.card import Card
    from tests.conftest import Cluster
    from tests.slurm.runtime import Runtime


class Look:
    """Root's screen without a terminal, over the user's state directory as one of many."""

    def __init__(self, watching: Watching, wait_until: Callable[..., object]) -> None:
        self.watching = watching
        self.wait_until = wait_until

    def card(self, name: str, phase: str) -> Card:
        """The container's, as soon as it is in that phase."""

        def found() -> list[Card]:
            self.watching.look()
            return [card for card in self.watching.cards() if (card.id, card.phase) == (name, phase)]

        self.wait_until(found, 30, what=f"{name} {phase}")
        [card] = found()
        return card


@pytest.fixture
def look(runtime: Runtime, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, cluster.variables[name])
    places = [(cluster.uid, str(runtime.root))]
    with contextlib.ExitStack() as stack:
        context = stack.enter_context(zmq.Context())
        watching = Watching(context, Roster(context, "", lambda: places), Slurm(Host(Line()), None))
        stack.callback(watching.close)
        yield Look(watching, runtime.wait_until)


def test_a_container_that_runs(runtime: Runtime, look: Look, cluster: Cluster) -> None:
    box = runtime.running("/bin/sh", "-c", "echo here; while :; do :; done")
    card = look.card(box.id, "running")
    assert (card.owner, card.job, card.nodes) == (cluster.user, str(box.job()), box.annotations()["scrun.nodes"])
    assert (look.watching.row(card).load.memory or 0) > 1000
    look.wait_until(lambda: (usage := look.watching.used(card)) and usage.memory, 40, what="sstat tells")
    with contextlib.closing(CloseUp(look.watching, card)) as close_up:
        close_up.look()
        look.wait_until(close_up.messages, what="it says something")
        stages = {stage.name: (stage.begin, stage.end) for stage in close_up.timeline.stages}
        assert all(stages[name][1] for name in ("queued", "staging in", "launching"))
        assert stages["running"][0]
        assert not stages["running"][1]

        # What a key does is in the container's journal as root's doing.
        key = next(key for key in KEYS if key.command == "restart")
        status, said = asyncio.run(carried_out(key.words(str(runtime.root), box.id, ("state",))))
        assert (status, said.split()[-3:]) == (0, ["restart", "state", box.id])
        rows = json.loads(runtime("console", box.id, "journal", "--format", "json").stdout)
        [done] = [row["data"] for row in rows if row["event"] == "intervened"]
        assert (done["action"], done["actor"], done["uid"]) == ("restart", "state", 0)
        key = next(key for key in KEYS if key.command == "job")
        status, said = asyncio.run(carried_out(key.words(str(runtime.root), box.id, ())))
        assert status == 1
        assert f"scontrol show job {card.job}" in said
    runtime.ok("delete", "--force", box.id)

    def is_gone() -> bool:
        look.watching.look()
        return not look.watching.cards()

    look.wait_until(is_gone, 30)


def test_one_that_waits_has_slurms_reason_and_when_it_may_start(
    runtime: Runtime, look: Look, filled: Callable[[], None]
) -> None:
    del filled
    box = runtime.box("/bin/true", annotations=WAITS, environ=runtime.site("[scrun]\ncreate_wait = 0.2\n"))
    card = look.card(box.id, "queued")
    words = {"Resources", "Priority", "ReqNodeNotAvail", "WaitingForScheduling"}

    def told() -> bool:
        look.watching.look()
        row = look.watching.row(card)
        return row.outlook is not None and any(word in reason(row) for word in words)

    look.wait_until(told, 60, what="squeue tells")
