"""The signals actor: brings each signal to the container's program exactly once, and carries out the end.

Exactly once, because a command that carries a signal is spawned under a name, such as ``signal-7-1``, and the anchor
starts a name once; the last number grows only when Slurm has said that the program did not get it, as often as it
takes: whoever sent the signal has been told that it was accepted. SIGKILL goes to the program first and then, if the
step has not ended, to all that is in it: no program can tell two of them from one. Signals go to our step, never to the
whole job, which may not be ours.
"""

import signal
from collections.abc import Iterable

from actors.process.command import CommandName
from actors.process.effects import Effect, Later, Log, Never, Report, Tick, ToAnchor
from actors.process.peer import PeerActor, Received
from actors.process.shell import run
from actors.process.spool import Spool
from actors.slurm import scheduler_for
from actors.slurm.replies import not_taken_yet, signal_failure
from actors.slurm.scheduler import Scheduler
from proto.life import events as e
from proto.life import intents, talk
from proto.life.creation import Creation
from proto.wire.registry import Message

ATTEMPTS = 5
"""How often a signal that ends the step is sent, if Slurm does not take it."""
AGAIN = 1.0
"""Seconds until it is sent again; also to a srun that has not named its step."""
INSIST = 1.0
"""Seconds that a program alone has to die of SIGKILL; then the whole step gets it: its runtime may be stopped."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts to bring a signal to a step that takes none now: a job may be suspended for hours."""


class Delivery:
    """One signal on its way to the step."""

    def __init__(self, name: CommandName, step_id: str, signum: int) -> None:
        self.name = name
        self.step_id = step_id
        self.signum = signum
        self.attempt = 1
        self.resting = False
        self.told = False

    @property
    def alone(self) -> bool:
        """Whether this attempt is for the program, and not for all processes of the step."""
        return self.signum == signal.SIGKILL and self.attempt == 1


class SignalsLogic:
    """What to spawn for a signal, and what the command's end means.

    A *delivery* is one signal for the step (``signal-7``, ``end-15``): it is asked for once, and goes on by itself.
    """

    def __init__(self, creation: Creation, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._spool = Spool(creation)
        self._single_node = False
        self._deliveries: dict[str, Delivery] = {}

    def start(self) -> Iterable[Effect]:
        """Nothing."""
        return ()

    def handle(self, event: object) -> Iterable[Effect]:
        """What the state actor asks for, what the anchor tells, and the clock."""
        match event:
            case Received(envelope):
                return self._asked(envelope.message)
            case talk.Exited(name, status):
                return self._ended(name, status)
            case Tick("launcher"):
                return self._end_launcher()
            case Tick(name):
                return self._due(self._deliveries[name])
        return ()

    def rest(self) -> talk.Rest | None:
        """The state actor needs it as long as a signal is on its way; what was killed may have to be killed again."""
        killed = any(each.told and each.signum == signal.SIGKILL for each in self._deliveries.values())
        return None if killed else talk.Rest()

    def _asked(self, message: Message) -> list[Effect]:
        match message:
            case intents.RelaySignal(number, signum, step_id, single_node):
                self._single_node = single_node
                return self._deliver(CommandName("signal", (number,)), step_id, signum)
            case intents.EndStep("", _):
                return self._end_launcher()
            case intents.EndStep(step_id, forced):
                signum = signal.SIGKILL if forced else signal.SIGTERM
                return [Never("launcher"), *self._deliver(CommandName("end", (signum,)), step_id, signum)]
        return []

    def _end_launcher(self) -> list[Effect]:
        """The step has no name yet: SIGTERM to srun makes it end the step with SIGKILL (measured)."""
        return [ToAnchor(talk.SignalCommand("step", signal.SIGTERM)), Later("launcher", AGAIN)]

    def _deliver(self, name: CommandName, step_id: str, signum: int) -> list[Effect]:
        delivery = self._deliveries.get(str(name))
        if delivery is None:
            delivery = self._deliveries[str(name)] = Delivery(name, step_id, signum)
            limit = [Later(str(name), INSIST)] if delivery.alone else []
            return [*self._attempt(delivery), *limit]
        return [] if delivery.resting else self._attempt(delivery)

    def _attempt(self, delivery: Delivery) -> list[Effect]:
        name = delivery.name.numbered(delivery.attempt)
        scheduler, step_id = self._scheduler, delivery.step_id
        command = scheduler.kill_program(step_id) if delivery.alone else scheduler.signal(step_id, delivery.signum)
        return [self._spool.act(str(name), command)]

    def _due(self, delivery: Delivery) -> list[Effect]:
        if delivery.alone:
            delivery.attempt += 1
        delivery.resting = False
        return self._attempt(delivery)

    def _ended(self, text: str, status: int) -> list[Effect]:
        name = CommandName.parse(text)
        number, attempt = name.numbers
        delivery = self._deliveries.get(str(CommandName(name.kind, (number,))))
        if delivery is None or attempt != delivery.attempt:
            return []
        if delivery.alone and status != 0:
            return [Never(str(delivery.name)), *self._due(delivery)]
        if name.kind == "end":
            return self._again(delivery, AGAIN) if status != 0 and attempt < ATTEMPTS else []
        if status == 0:
            return self._tell(delivery, e.SignalDelivered(number))
        said = self._spool.said(text)
        failure = signal_failure(said)
        if not not_taken_yet(said, single_node=self._single_node):
            return self._tell(delivery, e.SignalFailed(number, failure))
        pause = min(float(attempt), LONGEST_PAUSE)
        return [Log("info", f"{failure}; trying again in {pause:g} s"), *self._again(delivery, pause)]

    def _tell(self, delivery: Delivery, event: Message) -> list[Effect]:
        if delivery.told:
            return []
        delivery.told = True
        return [Report(event)]

    def _again(self, delivery: Delivery, pause: float) -> list[Effect]:
        delivery.attempt += 1
        delivery.resting = True
        return [Later(str(delivery.name), pause)]


def main(begin: talk.Begin, channel: int) -> int:
    """Body of the process."""
    logic = SignalsLogic(begin.creation, scheduler_for(begin.creation))
    return run(PeerActor, begin, channel, logic)
