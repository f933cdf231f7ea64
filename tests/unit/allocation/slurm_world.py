"""A model of what is around the allocation actor: the anchor that runs its commands, salloc, and Slurm's controller.

It is as bad as the real ones are: the controller is away, salloc is killed, the job is revoked, the actor dies with
what it was told. Texts are Slurm 22.05's.
"""

from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

from actors.allocation.actor import AllocationLogic
from actors.process.effects import Effect, Later, Never, Report, Tick, ToAnchor, Write
from actors.process.peer import Received
from proto.life import events as e
from proto.life import intents, talk
from proto.wire.envelope import Envelope
from tests.unit.slurm import recorded as said

from .slurm_container import SlurmContainer

EXITED_1, SIGKILLED = 1 << 8, 9
COOKIE = "scrun:c00kie"
Act = Callable[[], None]


class World:
    """One container's job from its request to its release.

    Attributes:
        up: whether the controller answers.
        jobs: number of each job that Slurm has, and whether it has its nodes.
        sallocs: name of each salloc that runs, and how far it is: asking, queued or granted.
        released: whether the state actor has been told that the job was given back.

    """

    def __init__(self, path: Path) -> None:
        self.container = SlurmContainer(path)
        self.up = True
        self.jobs: dict[int, bool] = {}
        self.sallocs: dict[str, str] = {}
        self.released = False
        self._releasing = False
        self._numbers: dict[str, int] = {}
        self._known = 0
        self._statuses: dict[str, int | None] = {}
        self._held = True
        self._asked_to_go: set[str] = set()
        self.replace_actor()

    # --- the actor and its shell ----------------------------------------------------------------------------------

    def replace_actor(self) -> None:
        """What it was told and its clocks are gone; its successor begins."""
        self._inbox: deque[object] = deque()
        self._clocks: set[str] = set()
        of = self.container
        self._logic = AllocationLogic(of.creation, of.scheduler, of.job_log, of.step_log)
        self._carry_out(self._logic.start())

    def want(self) -> None:
        """The state actor asks for what it wants, again."""
        wanted = intents.ReleaseJob(self._known, 0) if self._releasing else intents.RequestJob()
        if not self.released:
            envelope = Envelope("allocation", "state", wanted, "1" * 16)
            self._carry_out(self._logic.handle(Received(envelope)))

    def begin_release(self) -> None:
        """From now on the job shall be given back."""
        self._releasing = True
        self.want()

    def _carry_out(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case ToAnchor(talk.Spawn() as spawn):
                    self._spawn(spawn)
                case ToAnchor(talk.SignalCommand("job", _)):
                    self._asked_to_go |= self.sallocs.keys()
                case Later(name, _):
                    self._clocks.add(name)
                case Never(name):
                    self._clocks.discard(name)
                case Write("hold", _):
                    self._held = False
                case Report(e.JobGranted(job_id)):
                    self._known = job_id
                case Report(e.CancelRequested()):
                    self._releasing = True
                case Report(e.JobEnded()):
                    assert self.jobs == {}, "nobody asks for its release any more"
                case Report(e.JobReleased()):
                    self.released = True
                    self.check()

    def check(self) -> None:
        """What was told to be given back is, and nothing more can come."""
        assert self.jobs == {}
        assert not {"asking", "queued"} & set(self.sallocs.values())

    # --- the anchor -----------------------------------------------------------------------------------------------

    def _spawn(self, spawn: talk.Spawn) -> None:
        if spawn.name not in self._statuses:
            self._statuses[spawn.name] = None
            if spawn.name.split("-")[0] == "job":
                self.sallocs[spawn.name] = "asking"
            self._write(spawn.name, "")
            self._numbers[spawn.name] = int(spawn.argv[-1]) if spawn.argv[-1].isdigit() else 0
        self._inbox.append(talk.Spawned(spawn.name, 77))
        if (status := self._statuses[spawn.name]) is not None:
            self._inbox.append(talk.Exited(spawn.name, status))

    def _end(self, name: str, status: int, text: str = "") -> None:
        self._write(name, text)
        self._statuses[name] = status
        self.sallocs.pop(name, None)
        self._inbox.append(talk.Exited(name, status))

    def _write(self, name: str, text: str) -> None:
        with open(self.container.file(name), "a", encoding="utf-8") as file:
            file.write(text)

    # --- what may happen --------------------------------------------------------------------------------------------

    def possible(self) -> dict[str, list[Act]]:
        """All that may happen next, by what it is."""
        commands = [n for n, status in self._statuses.items() if status is None and n not in self.sallocs]
        return {
            "told": [self._tell] if self._inbox else [],
            "clock": [lambda name=name: self._tick(name) for name in sorted(self._clocks)],  # type: ignore[misc]
            "command": [lambda name=name: self._finish(name) for name in commands],  # type: ignore[misc]
            "salloc": [act for name in self.sallocs for act in self._steps_of(name)],
            "want": [self.want],
        }

    def mishaps(self) -> dict[str, Act]:
        """What may happen and should not, by what it is."""
        found: dict[str, Act] = {
            "the controller comes or goes": self._toggle,
            "the actor dies": self.replace_actor,
        }
        if self.sallocs:
            found["salloc is killed"] = lambda: self._kill(next(iter(self.sallocs)))
        if self.up and "asking" in self.sallocs.values():
            found["salloc is killed, and its request was heard"] = self._kill_too_late
        if any(self.jobs.values()):
            found["the job is revoked"] = self._revoke
        return found

    def _tell(self) -> None:
        self._carry_out(self._logic.handle(self._inbox.popleft()))

    def _tick(self, name: str) -> None:
        self._clocks.discard(name)
        self._carry_out(self._logic.handle(Tick(name)))

    def _toggle(self) -> None:
        self.up = not self.up

    def _revoke(self) -> None:
        """Somebody cancels the job; salloc says so and stays."""
        self.jobs.clear()
        for name, phase in self.sallocs.items():
            if phase == "granted":
                self._write(name, "salloc: Job allocation 5 has been revoked.\n")

    def _kill(self, name: str) -> None:
        """A job in the queue goes with its salloc, one that has its nodes does not."""
        if self.sallocs[name] != "granted":
            self.jobs.clear()
        self._end(name, SIGKILLED)

    def _kill_too_late(self) -> None:
        name = next(name for name, phase in self.sallocs.items() if phase == "asking")
        self._end(name, SIGKILLED)
        self.jobs[5] = True

    def _steps_of(self, name: str) -> list[Act]:
        phase = self.sallocs[name]
        if phase == "granted":
            return [] if self._held else [lambda: self._give_back(name)]
        if name in self._asked_to_go:
            return (
                [lambda: self._withdraw(name), lambda: self._grant(name)] if self.up else [lambda: self._withdraw(name)]
            )
        if not self.up:
            return [] if phase == "queued" else [lambda: self._end(name, EXITED_1, said.CONTROLLER_DOWN)]
        return [*([lambda: self._queue(name)] * 3 if phase == "asking" else []), lambda: self._grant(name)]

    def _queue(self, name: str) -> None:
        self.jobs[5] = False
        self.sallocs[name] = "queued"
        self._write(name, "salloc: Pending job allocation 5\nsalloc: job 5 queued and waiting for resources\n")

    def _grant(self, name: str) -> None:
        self.jobs[5] = True
        self.sallocs[name] = "granted"
        self._write(name, said.GRANTED)

    def _withdraw(self, name: str) -> None:
        self.jobs.clear()
        self._end(name, EXITED_1, "salloc: Job aborted due to signal\n")

    def _give_back(self, name: str) -> None:
        if self.up:
            self.jobs.clear()
        relinquished = "salloc: Relinquishing job allocation 5\n"
        failed = said.NOT_GIVEN_BACK.removeprefix(said.GIVEN_BACK)
        self._end(name, 0, relinquished if self.up else relinquished + failed)

    def _finish(self, name: str) -> None:
        """A command of scancel's or squeue's ends."""
        kind, number = name.split("-", maxsplit=1)[0], self._numbers[name]
        if not self.up:
            self._end(name, EXITED_1, said.NO_SIGNAL)
        elif kind == "release":
            there = self.jobs.pop(number, None) is not None
            if there:
                self._drop_queued()
            gone = "scancel: error: Kill job error on job id 5: Invalid job id specified\n"
            self._end(name, 0 if there else EXITED_1, "" if there else gone)
        elif kind == "find":
            self._end(name, 0, "".join(f"{job}|RUNNING|{COOKIE}\n" for job in self.jobs))
        elif number in self.jobs:
            running = said.JOB_RUNNING if self.jobs[number] else said.JOB_RUNNING.replace("RUNNING", "PENDING")
            self._end(name, 0, running)
        else:
            self._end(name, EXITED_1, said.JOB_UNKNOWN)

    def _drop_queued(self) -> None:
        """salloc's job was cancelled: in the queue that ends it, else it says so and stays."""
        for name, phase in list(self.sallocs.items()):
            if phase == "queued":
                self._end(name, EXITED_1, said.CANCELLED_WHILE_QUEUED.removeprefix(said.QUEUED))
            elif phase == "granted":
                self._write(name, "salloc: Job allocation 5 has been revoked.\n")
