"""The allocation actor: asks for the job, watches it, launches the step, explains the end, gives the job back.

It starts nothing itself: every command of Slurm is a child of the anchor under a fixed name, so a replaced
allocation actor that asks for the same name finds the same command, or its status, and its words in a file.
"""

from collections.abc import Callable, Iterable

from actors.process.command import CommandName
from actors.process.effects import Effect, Tick
from actors.process.peer import PeerActor, Received
from actors.process.shell import run
from actors.slurm import scheduler_for
from actors.slurm.scheduler import Scheduler
from proto.host.paths import fd_path
from proto.life import intents, talk
from proto.life.creation import Creation
from proto.wire.registry import Message

from .job import Job
from .step import Step


class AllocationLogic:
    """Who gets which event: one table for the commands that end, one for the clock.

    Attributes:
        ends: who reads how a command of this kind (``CommandName``) has ended.

    """

    def __init__(self, creation: Creation, scheduler: Scheduler, job_log: str, step_log: str) -> None:
        self._job = job = Job(creation, scheduler, job_log)
        self._step = step = Step(creation, scheduler, step_log, lambda: job.said)
        # The end of an attempt is told twice where it was asked for twice, perhaps when the next one is under way.
        self.ends: dict[str, Callable[[str, int], Iterable[Effect]]] = {
            "job": lambda name, status: job.exited(status) if name == job.attempt else (),
            "reason": lambda _, status: job.reason(status),
            "watch": job.watched,
            "release": job.release_exited,
            "find": job.found,
            "step": lambda name, status: step.exited(status) if name == step.attempt else (),
            "probe": lambda *_: step.probed(),
            "why": step.answered,
            "loss": lambda name, _: step.told_of_nodes(name),
            "lost": lambda *_: step.nodes.let_srun_go(),
        }
        self._ticks: dict[str, Callable[[], Iterable[Effect]]] = {
            "job-log": job.look,
            "reason": job.unexplained,
            "watch": job.watch,
            "release": job.release,
            "job": job.next,
            "step": step.next,
            "step-log": step.look,
            "window": step.window,
            "grown": step.grown,
            "why": step.unexplained,
            "why-again": step.inquire,
            "nodes": step.look_at_nodes,
            "lost": step.nodes.let_srun_go,
        }

    def start(self) -> Iterable[Effect]:
        """Find salloc again, or what became of it; the state actor says what is wanted."""
        return self._job.find()

    def handle(self, event: object) -> Iterable[Effect]:
        """What the state actor asks for, what the anchor tells, and the clock."""
        match event:
            case Received(envelope):
                return self._asked(envelope.message)
            case talk.Spawned(name, pid):
                kind = CommandName.parse(name).kind
                if kind == "job" and pid:
                    # salloc was started before there were actors, and has long been granted what it asked for.
                    return self._job.look()
                if kind == "step":
                    self._step.nodes.srun = pid
            case talk.Exited(name, status):
                return self.ends[CommandName.parse(name).kind](name, status)
            case Tick(name) if name in self._ticks:
                return self._ticks[name]()
        return ()

    def rest(self) -> talk.Rest | None:
        """It comes back when srun ends, or has lost a node."""
        return self._step.rest()

    def _asked(self, message: Message) -> Iterable[Effect]:
        match message:
            case intents.RequestJob(retry):
                return self._job.request(retry=retry)
            case intents.WatchJob(job_id):
                self._job.id = job_id
                return self._job.begin_watch()
            case intents.LaunchStep(job_id, bundle, argv, retry, programs, runs):
                self._job.id, self._job.idle = job_id, False
                return self._step.launch(job_id, bundle, argv, programs, retry=retry, runs=runs)
            case intents.ReleaseJob(job_id, status):
                return self._job.begin_release(job_id, status)
        return ()


def main(begin: talk.Begin, channel: int) -> int:
    """Body of the process."""
    logs = (fd_path(begin.descriptors[name]) if name in begin.descriptors else "" for name in ("job-log", "step-log"))
    logic = AllocationLogic(begin.creation, scheduler_for(begin.creation), *logs)
    return run(PeerActor, begin, channel, logic)
