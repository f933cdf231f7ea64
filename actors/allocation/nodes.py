"""The nodes of a step that runs: whether they are still those on which it began."""

from collections.abc import Callable

from actors.process.effects import Effect, Later, Log, Never, ToAnchor
from actors.process.spool import Spool
from actors.slurm import lost_nodes
from actors.slurm.scheduler import Scheduler
from actors.slurm.step_news import StepNews
from proto.exit_codes import KILL
from proto.life import talk

LOOK = 30.0
"""Seconds between two looks at srun's connections with its nodes; when one is missing twice, Slurm is asked."""
SOON = 1.0
"""Seconds until the first look of an actor that has been at rest."""
AGAIN = 5.0
"""Seconds until the second look: a step that ends has no connections either, for a moment."""
LOST_LIMIT = 15.0
"""Seconds to end what is left of a step that has lost a node; then srun is killed."""


class Nodes:
    """Pure: commands and ticks in, effects out. See ``actors.slurm.lost_nodes`` for the reason why there is this.

    Attributes:
        srun: its pid; 0 while the anchor has not told.
        lost: the sentence about a node that the step has lost, or empty.

    """

    def __init__(
        self, scheduler: Scheduler, spool: Spool, connections: Callable[[int], int | None] = lost_nodes.connections
    ) -> None:
        """Args:
        scheduler: what the commands are, and what they mean.
        spool: where their words go.
        connections: how many a process has.
        """
        self.srun = 0
        self.lost = ""
        self._scheduler = scheduler
        self._spool = spool
        self._connections = connections
        self._missed = 0
        self._questions = 0

    def begin(self, *, soon: bool) -> Effect:
        """The step has started, or an actor is back that may be wanted because a connection is missing."""
        return Later("nodes", SOON if soon else LOOK)

    def look(self, job_id: int, step: StepNews) -> list[Effect]:
        """See whether srun has a connection with each node."""
        if self.lost:
            return []
        found = self._connections(self.srun)
        self._missed = self._missed + 1 if found is not None and found < len(step.nodes.split(",")) else 0
        query = self._scheduler.loss(job_id, step) if self._missed > 1 else None
        if query is None:
            return [Later("nodes", AGAIN if self._missed else LOOK)]
        self._questions += 1
        return [self._spool.ask(f"loss-{self._questions}", query.command), Later("nodes", LOOK)]

    def rest(self, job_id: int, step: StepNews) -> talk.Rest | None:
        """Nobody need be there as long as srun has all its connections; None: one is missing."""
        if self._missed or self.lost:
            return None
        if not self.srun or self._scheduler.loss(job_id, step) is None:
            return talk.Rest()
        return talk.Rest(launcher=self.srun, connections=len(step.nodes.split(",")))

    def told(self, name: str, job_id: int, step: StepNews) -> list[Effect]:
        """Read what became of the nodes, and end what is left of the step if it has lost one."""
        query = self._scheduler.loss(job_id, step)
        loss = query.read(self._spool.said(name)) if query is not None else None
        if loss is None or self.lost:
            return []
        self.lost = loss.sentence
        # Orphaned: the step's own daemon is no more there to end it.
        scheduler, step_id = self._scheduler, step.step_id
        end = scheduler.kill_program(step_id) if loss.orphaned else scheduler.signal(step_id, KILL)
        kill = self._spool.act("lost", end)
        return [Log("error", self.lost), Never("nodes"), kill, Later("lost", LOST_LIMIT)]

    def let_srun_go(self) -> list[Effect]:
        """Nothing of the step is left; srun would wait for it all the same."""
        return [Never("lost"), ToAnchor(talk.SignalCommand("step", KILL))]
