"""What somebody at the console may do to an actor, and when that makes sense. Pure."""

from actors.process.supervision import FREE
from proto.errors import UsageError, WrongStateError
from proto.host.log_record import LEVELS
from proto.life import requests, talk

OF_ALL = frozenset({"hold", "resume"})
"""Actions that are about no single actor."""


def check(wish: requests.Intervene, children: dict[str, talk.ChildChanged]) -> None:
    """Say why it cannot be done, if so.

    Raises:
        UsageError: there is no such actor, or it is asked for what it is never asked for.
        WrongStateError: the actor is not there just now.

    """
    if wish.action in OF_ALL:
        if wish.actor:
            raise UsageError(f"{wish.action} is about all actors, and takes no name of one")
        return
    child = children.get(wish.actor)
    if child is None:
        raise UsageError(f"{wish.action} wants the name of an actor: {', '.join(children)}")
    if wish.action == "freeze" and wish.actor in FREE:
        raise UsageError(f"{wish.actor} cannot be frozen: nobody would be there who could be asked to thaw it")
    if wish.action == "log-level":
        if wish.level not in LEVELS:
            raise UsageError(f"there is no log level {wish.level[:40]!r}; use one of {', '.join(LEVELS)}")
        return
    if child.status != "running" and not (wish.action == "restart" and child.status == "dead"):
        raise WrongStateError(f"{wish.actor} is not running: it is {child.status}")
