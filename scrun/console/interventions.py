"""``restart``, ``kill``, ``freeze``, ``thaw``, ``log-level``, ``hold``, ``resume``: what changes something.

One file for all: they differ by a word. Their server half is ``actors/state/interventions.py``, and what is done then
is in ``actors/anchor/interventions.py``.
"""

import os
from collections.abc import Iterator
from functools import partial

from proto.errors import UsageError
from proto.life import requests

from .command import Command, Question, Row


def rows(question: Question, action: requests.Action) -> Iterator[Row]:
    """Ask who is there whether it shall be, have it done, and say so.

    Raises:
        UsageError: it was not confirmed.

    """
    from .hub import ask

    whom = " ".join(question.arguments) or "the supervisor of all actors"
    if not question.yes and not _confirmed(f"{action} {whom} of container {question.id}?"):
        raise UsageError(f"nothing was done: {action} wants a y, or the option --yes")
    ask(question.paths, requests.Intervene(action, question.argument, "".join(question.arguments[1:])))
    yield action, question.argument, question.id


def _confirmed(sentence: str) -> bool:
    """Ask on the terminal; without one nobody confirms."""
    if not (os.isatty(0) and os.isatty(2)):
        return False
    try:
        return input(f"{sentence} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _command(action: requests.Action, summary: str, reading: str, argument: str = "ACTOR") -> Command:
    return Command(action, summary, ("command", "actor", "container"), partial(rows, action=action), reading, argument)


COMMANDS = (
    _command(
        "restart",
        "have an actor's next incarnation at once",
        "it is killed; its successor goes on by the journal. Also of one that waits for its restart, or for `resume`",
    ),
    _command("kill", "kill an actor", "as anybody might; the supervisor replaces it after the pauses of its policy"),
    _command(
        "freeze",
        "stop an actor, until it is thawed",
        "its silence does not count, so nobody replaces it; what it is for stands still. `state` cannot be frozen",
    ),
    _command("thaw", "let a frozen actor go on", "nobody takes it for stuck for the next six seconds"),
    _command(
        "log-level",
        "have an actor say more, or less, in the container's log",
        "LEVEL is `quiet` to `debug5`; its successors keep to it. What `--log` and syslog get is as it was at `create`",
        "ACTOR LEVEL",
    ),
    _command(
        "hold",
        "replace no actor that dies or is stuck, until resume",
        "but for `state`, which is to be asked to resume. `tree` says so in the row of the anchor",
        argument="",
    ),
    _command("resume", "replace actors again", "those that have died meanwhile at once", argument=""),
)
