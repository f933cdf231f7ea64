"""Every state that a container can come to, and every way in which one can end: what the documents have words for."""

from __future__ import annotations

import ast
import functools
import itertools
import signal
from typing import TYPE_CHECKING

from actors.slurm.ending import FATAL, REASONS, STATES, explain
from actors.slurm.scheduler import JobInfo
from actors.slurm.step_news import StepNews
from proto import exit_codes
from proto.life import events as e
from proto.life import lifecycle
from proto.life.container import Container
from proto.life.ending import Ending
from tests.unit.docs import speakers
from tests.unit.proto.strategies import CREATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proto.wire.registry import Message

OWN = 7
"""Exit code of the program in all of these lives, if it has one of its own."""

_INFOS = (
    None,
    *(JobInfo(state) for state in ("COMPLETED", *STATES)),
    *(JobInfo("COMPLETING", reason) for reason in ("", *REASONS)),
    JobInfo("COMPLETED", preempted=True),
)
_STATUSES = (OWN << 8, signal.SIGKILL, signal.SIGTERM, *((128 + s) << 8 for s in FATAL))
_NEWS = (
    StepNews(),
    StepNews(started=True, abandoned=True),
    StepNews(started=True, node_failure=True),
    StepNews(started=True, out_of_memory=True),
    *(StepNews(started=True, wait_status=status) for status in _STATUSES),
    StepNews(started=True, wait_status=OWN << 8, out_of_memory=True),
    StepNews(started=True, wait_status=signal.SIGTERM, out_of_memory=True),
)


def step_ends() -> set[e.StepEnded]:
    found = (explain(info, news, signal.SIGKILL) for info, news in itertools.product(_INFOS, _NEWS))
    return {e.StepEnded(Ending(end.kind, end.exit_code, end.signal, "x")) for end in found}


def job_ends() -> set[e.JobEnded]:
    """What the watch over a job without a step finds, and the two of ``Job`` itself."""
    watched = (explain(info, StepNews(), 0) for info in _INFOS)
    found = {e.JobEnded(Ending(end.kind, end.exit_code, 0, "x", "scheduler")) for end in watched}
    return found | {
        e.JobEnded(Ending("refused", exit_codes.REFUSED, 0, "x", "scheduler")),
        e.JobEnded(Ending("cancelled", exit_codes.KILLED, 0, "x", "scheduler")),
    }


def cancellations() -> set[e.CancelRequested]:
    """With each exit code that is written in a call."""
    calls = speakers.calls("CancelRequested")
    codes = {getattr(exit_codes, call.args[1].id) for call in calls if isinstance(call.args[1], ast.Name)}
    assert all(isinstance(call.args[1], ast.Name) for call in calls)
    return {e.CancelRequested("x", code, forced=True) for code in codes}


def _life() -> Iterator[Message]:
    yield from (
        e.JobRequested("c"),
        e.JobQueued(1, "Priority"),
        e.JobGranted(1, "n1"),
        e.StagingProgress(1, 1, 1, 1),
        e.StagedIn("b", "r", ()),
    )
    yield from (e.StagingFailed("x"), e.CreateAnswered(), e.StartRequested("r"), e.LaunchRequested())
    yield from (e.StepStarted("1.0"), e.GivenUp(), e.OutputDrained(1, 1, 1), e.StagedOut(), e.JobReleased())
    yield e.Finished()


def _explore(events: Iterable[Message]) -> dict[tuple[object, ...], Container]:
    events = tuple(events)
    begun = lifecycle.apply(Container(), e.CreateBegun(CREATION))
    found: dict[tuple[object, ...], Container] = {}
    todo = [begun]
    while todo:
        container = todo.pop()
        key = tuple(value for name, value in container.__dict__.items() if name != "creation")
        if key in found:
            continue
        found[key] = container
        for event in events if not container.given_up else (e.Finished(),):
            try:
                after = lifecycle.apply(container, event)
            except lifecycle.IllegalEventError:
                continue
            if after is not container:
                todo.append(after)
    return found


@functools.cache
def lives() -> tuple[Container, ...]:
    """Every state on the way, with one end of each sort."""
    stop = e.SignalRequested(1, signal.SIGSTOP, "1")
    ends = (e.StepEnded(Ending("exited", OWN, 0, "x")), e.CancelRequested("x", exit_codes.KILLED, forced=True))
    others = (stop, e.SignalDelivered(1), e.StartWaitOver())
    return tuple(_explore((*_life(), *ends, *others)).values())


@functools.cache
def ends() -> dict[str, frozenset[int]]:
    """The kinds of ends, with the exit codes that each can have."""
    signals = (e.SignalRequested(1, signal.SIGTERM, "1"),)
    found: dict[str, set[int]] = {}
    for container in _explore((*_life(), *step_ends(), *job_ends(), *cancellations(), *signals)).values():
        if container.finished and container.ending is not None:
            found.setdefault(container.ending.kind, set()).add(container.ending.exit_code)
    return {kind: frozenset(codes) for kind, codes in found.items()}
