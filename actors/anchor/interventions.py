"""What somebody at the console may have done to an actor, or to the supervision of all of them.

Whether it may be done now is ``actors.state.interventions``'s to decide; this does it, and goes round the policy.
"""

import signal
from collections.abc import Callable

from actors.process import supervision
from proto.life import requests, talk

from .supervisor import Supervisor


def _restart(actors: Supervisor, wish: talk.Administer) -> None:
    """Have the next incarnation at once, whatever it has failed before."""
    child = actors[wish.actor]
    child.record = supervision.forgiven(child.record)
    child.revived = bool(child.pid)
    if child.pid:
        actors.kill(child)
    elif child.due is not None:
        child.due, child.again = actors.clock(), False


def _kill(actors: Supervisor, wish: talk.Administer) -> None:
    """As anybody might; what follows is the policy's."""
    actors.kill(actors[wish.actor])


def _freeze(actors: Supervisor, wish: talk.Administer) -> None:
    child = actors[wish.actor]
    if child.pid:
        frozen = wish.action == "freeze"
        actors.send(child, signal.SIGSTOP if frozen else signal.SIGCONT)
        child.record = supervision.frozen(child.record, actors.clock(), frozen=frozen)


def _set_level(actors: Supervisor, wish: talk.Administer) -> None:
    child = actors[wish.actor]
    child.level = wish.level
    actors.tell_level(child)


def _hold(actors: Supervisor, wish: talk.Administer) -> None:
    """Who was silent meanwhile has a lease that begins now."""
    actors.held = wish.action == "hold"
    for child in actors:
        child.record = supervision.frozen(child.record, actors.clock(), frozen=child.record.frozen)


ACTIONS: dict[requests.Action, Callable[[Supervisor, talk.Administer], None]] = {
    "restart": _restart,
    "kill": _kill,
    "freeze": _freeze,
    "thaw": _freeze,
    "log-level": _set_level,
    "hold": _hold,
    "resume": _hold,
}
