"""The signals actor: brings each signal to the container's program exactly once, and carries out the end.

Exactly once, because the command that carries signal N is spawned under the name ``signal-N``, and the anchor
starts a name once; another one follows only when nobody has heard it, as often as it takes: whoever sent the signal
has been told that it was accepted. Signals go to our step, never to the whole job, which may not be ours.
"""

import signal
from collections.abc import Iterable

from actors.allocation import scheduler_for
from actors.allocation.attempts import Attempts
from actors.allocation.replies import signal_failure, unheard
from actors.allocation.scheduler import Scheduler
from actors.allocation.spool import Spool
from actors.effects import Effect, Later, Log, Report, Tick, ToAnchor
from actors.shell import PeerActor, Received, run
from proto import events as e
from proto import messages as m
from proto.creation import Creation
from proto.registry import Message

ATTEMPTS = 5
"""How often a signal that ends the step is sent, if Slurm does not take it."""


class SignalsLogic:
    """What to spawn for a signal, and what the command's end means."""

    def __init__(self, creation: Creation, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._spool = Spool(creation)
        self._relays: dict[int, Attempts] = {}
        self._alone = False
        self._attempts: dict[int, int] = {}
        self._failed: set[str] = set()

    def start(self) -> Iterable[Effect]:
        """Nothing."""
        return ()

    def handle(self, event: object) -> Iterable[Effect]:
        """What the state actor asks for, and what the anchor tells."""
        match event:
            case Received(envelope):
                return self._asked(envelope.message)
            case m.Exited(name, status) if name.startswith("signal-"):
                return self._relayed(int(name.split("-")[1]), name, status)
            case m.Exited(name, status) if status:
                self._failed.add(name)
            case Tick(name):
                # The state actor goes on asking for it.
                self._relay(int(name.split("-")[1])).next()
        return ()

    def _asked(self, message: Message) -> list[Effect]:
        match message:
            case m.RelaySignal(number, signum, _, step_id, alone):
                self._alone = alone
                relay = self._relay(number)
                return [] if relay.waiting else [self._spool.spawn(relay.name, self._scheduler.signal(step_id, signum))]
            case m.EndStep(_, step_id, hard):
                return self._end(step_id, signal.SIGKILL if hard else signal.SIGTERM)
        return []

    def _end(self, step_id: str, signum: int) -> list[Effect]:
        if not step_id:
            # srun has not said which step it is: SIGTERM makes it end the step with SIGKILL (measured).
            return [ToAnchor(m.SignalCommand("step", signal.SIGTERM))]
        attempt = self._attempts.setdefault(signum, 1)
        name = f"end-{signum}-{attempt}"
        if name in self._failed and attempt < ATTEMPTS:
            self._attempts[signum] = attempt + 1
            name = f"end-{signum}-{attempt + 1}"
        return [self._spool.spawn(name, self._scheduler.signal(step_id, signum))]

    def _relay(self, number: int) -> Attempts:
        return self._relays.setdefault(number, Attempts(self._spool, f"signal-{number}"))

    def _relayed(self, number: int, name: str, status: int) -> list[Effect]:
        if status == 0:
            return [Report(e.SignalDelivered(number))]
        relay = self._relays.get(number)
        if relay is None or relay.waiting or name != relay.name:
            return []  # told twice, or to a new actor, which will be asked for it again
        failure = signal_failure(relay.said)
        if not unheard(relay.said, alone=self._alone):
            return [Report(e.SignalFailed(number, failure))]
        pause = relay.wait()
        return [Log("info", f"{failure}; trying again in {pause:g} s"), Later(f"signal-{number}", pause)]


def main(begin: m.Begin, channel: int) -> int:
    """Body of the process."""
    logic = SignalsLogic(begin.creation, scheduler_for(begin.creation))
    return run(PeerActor, begin, channel, logic)
