"""The signals actor: brings each signal to the container's program exactly once, and carries out the end.

Exactly once, because a command that carries a signal is spawned under a name, such as ``signal-7-1``, and the anchor
starts a name once; the last number grows only when Slurm has said that the program did not get it, as often as it
takes: whoever sent the signal has been told that it was accepted. Signals go to our step, never to the whole job, which
may not be ours.
"""

import signal
from collections.abc import Iterable

from actors.process.command import CommandName
from actors.process.effects import Effect, Later, Log, Report, Tick, ToAnchor
from actors.process.shell import PeerActor, Received, run
from actors.process.spool import Spool
from actors.slurm import scheduler_for
from actors.slurm.replies import not_taken_yet, signal_failure
from actors.slurm.scheduler import Scheduler
from proto.life import events as e
from proto.life import messages as m
from proto.life.creation import Creation
from proto.wire.registry import Message

ATTEMPTS = 5
"""How often a signal that ends the step is sent, if Slurm does not take it."""
LONGEST_PAUSE = 30.0
"""Seconds between two attempts to bring a signal to a step that takes none now: a job may be suspended for hours."""


class SignalsLogic:
    """What to spawn for a signal, and what the command's end means.

    A *delivery* is one signal for the step (``signal-7``, ``end-15``). The state actor asks for it every second until
    it is done.
    """

    def __init__(self, creation: Creation, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._spool = Spool(creation)
        self._single_node = False
        self._attempts: dict[CommandName, int] = {}
        self._resting: set[str] = set()

    def start(self) -> Iterable[Effect]:
        """Nothing."""
        return ()

    def handle(self, event: object) -> Iterable[Effect]:
        """What the state actor asks for, what the anchor tells, and the clock."""
        match event:
            case Received(envelope):
                return self._asked(envelope.message)
            case m.Exited(name, status):
                return self._ended(name, status)
            case Tick(delivery):
                self._resting.discard(delivery)
        return ()

    def _asked(self, message: Message) -> list[Effect]:
        match message:
            case m.RelaySignal(number, signum, step_id, single_node):
                self._single_node = single_node
                return self._attempt(CommandName("signal", (number,)), step_id, signum)
            case m.EndStep("", _):
                # srun has not said which step it is: SIGTERM makes it end the step with SIGKILL (measured).
                return [ToAnchor(m.SignalCommand("step", signal.SIGTERM))]
            case m.EndStep(step_id, forced):
                signum = signal.SIGKILL if forced else signal.SIGTERM
                return self._attempt(CommandName("end", (signum,)), step_id, signum)
        return []

    def _attempt(self, delivery: CommandName, step_id: str, signum: int) -> list[Effect]:
        if str(delivery) in self._resting:
            return []
        name = delivery.numbered(self._attempts.setdefault(delivery, 1))
        return [self._spool.act(str(name), self._scheduler.signal(step_id, signum))]

    def _ended(self, text: str, status: int) -> list[Effect]:
        name = CommandName.parse(text)
        number, attempt = name.numbers
        delivery = CommandName(name.kind, (number,))
        if attempt != self._attempts.get(delivery):
            return []
        if name.kind == "end":
            self._attempts[delivery] = min(attempt + (status != 0), ATTEMPTS)
            return []
        if status == 0:
            return [Report(e.SignalDelivered(number))]
        said = self._spool.said(text)
        failure = signal_failure(said)
        if not not_taken_yet(said, single_node=self._single_node):
            return [Report(e.SignalFailed(number, failure))]
        self._attempts[delivery] += 1
        self._resting.add(str(delivery))
        pause = min(float(attempt), LONGEST_PAUSE)
        return [Log("info", f"{failure}; trying again in {pause:g} s"), Later(str(delivery), pause)]


def main(begin: m.Begin, channel: int) -> int:
    """Body of the process."""
    logic = SignalsLogic(begin.creation, scheduler_for(begin.creation))
    return run(PeerActor, begin, channel, logic)
