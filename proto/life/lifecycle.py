"""The container's life as a pure machine: facts in, a new state out.

One table row for each event: when it may happen, when it is old news, what it changes. What follows from a state is
in ``proto.life.wants``; ``docs/architecture.md`` draws both.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar, cast

from proto.errors import ProtocolError
from proto.exit_codes import CONT, FATAL, KILL, KILLED, REFUSED, SIGNALLED, STOP
from proto.value import Value, replace
from proto.wire.registry import Message

from . import events as e
from .container import Container, PendingSignal
from .ending import Ending, with_session
from .journal import Record


class IllegalEventError(ProtocolError):
    """The event cannot happen in this state."""


E = TypeVar("E", bound=Message)
Allowed = Callable[[Container], bool]


class Rule(Value):
    """One row of the table: when an event may happen, when it is old news, and what it changes."""

    allowed: Callable[[Container], bool]
    known: Callable[[Container, Message], bool]
    update: Callable[[Container, Message], Container]


def _never(_container: Container, _event: Message) -> bool:
    return False


def _rule(
    event: type[E],
    allowed: Allowed,
    update: Callable[[Container, E], Container],
    known: Callable[[Container, E], bool] = _never,
) -> tuple[type[Message], Rule]:
    return event, Rule(
        allowed,
        cast("Callable[[Container, Message], bool]", known),
        cast("Callable[[Container, Message], Container]", update),
    )


def _job_granted(c: Container, event: e.JobGranted) -> Container:
    granted = replace(c, job="granted", job_id=event.job_id, nodes=event.nodes, foreign=event.foreign)
    return granted if c.ending is not None else replace(granted, stage="begun")


def _job_ended(c: Container, event: e.JobEnded) -> Container:
    return replace(c, job="over", ending=c.ending or event.ending)


def _step_ended(c: Container, event: e.StepEnded) -> Container:
    ended = event.ending
    if c.killed and (ended.kind, ended.exit_code) == ("exited", KILLED):
        # The node's runtime tells as an exit code what was asked for.
        ended = replace(ended, kind="signalled", signal=KILL, sentence="the program was ended by SIGKILL")
    if c.logout and c.creation is not None:
        ended = with_session(ended, c.creation.caller.user)
    if c.ending is not None:
        # Why it ends was known before; how the program took it is known now.
        ended = replace(ended, kind=c.ending.kind, sentence=c.ending.sentence or ended.sentence)
        if event.ending.kind == "launch-failed":
            ended = c.ending
    return replace(c, step="ended", ending=ended)


def _signal_requested(c: Container, event: e.SignalRequested) -> Container:
    c = replace(c, signal_count=max(c.signal_count, event.number), logout=c.logout or event.logout)
    if c.step in {"launching", "running"}:
        pending = (*c.signals, PendingSignal(event.number, event.signal, event.request))
        return replace(c, signals=pending, killed=c.killed or event.signal == KILL)
    c = replace(c, outcomes=(*c.outcomes, (event.request, "")))
    if event.signal in FATAL:
        # No program runs yet; a program that has set no handler would end so.
        killed = Ending("killed", SIGNALLED + event.signal, event.signal, "ended by a signal before it was started")
        return replace(c, ending=killed, forced=True)
    return c


def _signal_over(c: Container, number: int, outcome: str) -> Container:
    done = [(s.request, outcome) for s in c.signals if s.number == number]
    left = tuple(s for s in c.signals if s.number != number)
    return replace(c, signals=left, outcomes=(*c.outcomes, *done))


def _signal_delivered(c: Container, number: int) -> Container:
    signum = next((s.signal for s in c.signals if s.number == number), 0)
    return replace(_signal_over(c, number, ""), paused={STOP: True, CONT: False}.get(signum, c.paused))


def _staged_out(c: Container, event: e.StagedOut) -> Container:
    ending = c.ending
    if event.failure and ending is not None:
        # The exit status stays the program's, but the user may miss a file.
        # What kept it from being staged in may be what is in the way now: once is enough.
        sentence = "; ".join(dict.fromkeys(part for part in (ending.sentence, event.failure) if part))
        ending = replace(ending, sentence=sentence)
    return replace(c, stage="out", ending=ending)


def _cancel(c: Container, event: e.CancelRequested) -> Container:
    ending = c.ending or Ending("cancelled", event.exit_code, 0, f"cancelled by {event.by}")
    return replace(c, ending=ending, forced=c.forced or event.forced)


def _given_up(c: Container) -> Container:
    ending = c.ending or Ending("killed", KILLED, KILL, "killed; Slurm is slow to confirm")
    if c.step in {"launching", "running"}:
        # However its end began: what has ended the program, or will, is SIGKILL.
        ending = replace(ending, exit_code=KILLED, signal=KILL)
    return replace(c, given_up=True, ending=ending)


def _alive(c: Container) -> bool:
    return c.creation is not None and not c.finished


def _going(c: Container) -> bool:
    return _alive(c) and c.ending is None


RULES: dict[type[Message], Rule] = dict([
    _rule(
        e.CreateBegun,
        lambda c: c.creation is None,
        lambda c, v: replace(c, creation=v.creation),
        lambda c, _: c.creation is not None,
    ),
    _rule(
        e.JobRequested,
        lambda c: _going(c) and c.job == "none",
        lambda c, _: replace(c, job="requested"),
        lambda c, _: c.job != "none",
    ),
    _rule(
        e.JobQueued,
        lambda c: _alive(c) and c.job in {"none", "requested"},
        lambda c, v: replace(c, job="queued", job_id=v.job_id, queue_reason=v.reason),
        lambda c, _: c.job in {"queued", "granted", "over"},
    ),
    _rule(
        e.JobGranted,
        lambda c: _alive(c) and c.job in {"none", "requested", "queued"},
        _job_granted,
        lambda c, _: c.job in {"granted", "over"},
    ),
    _rule(
        e.CreateWaitOver,
        lambda c: _going(c) and not c.answered,
        lambda c, _: replace(c, create_wait_over=True),
        lambda c, _: c.create_wait_over or c.answered or c.ending is not None,
    ),
    _rule(
        e.JobEnded,
        lambda c: _alive(c) and c.step in {"none", "ended"},
        _job_ended,
        # While srun is there it is srun's end that tells; the news is told again after it.
        lambda c, _: c.job == "over" or c.step in {"launching", "running"},
    ),
    _rule(
        e.StagingProgress,
        lambda c: _alive(c) and c.stage == "begun",
        lambda c, v: replace(c, progress=v.sentence),
        lambda c, v: c.stage in {"ready", "failed", "out"} or c.progress == v.sentence,
    ),
    _rule(
        e.StagedIn,
        lambda c: _alive(c) and c.stage == "begun",
        lambda c, v: replace(
            c, stage="ready", bundle=v.bundle, rootfs=v.rootfs, argv=v.argv, notice=v.notice, programs=v.programs
        ),
        lambda c, _: c.stage in {"ready", "failed", "out"},
    ),
    _rule(
        e.StagingFailed,
        lambda c: _alive(c) and c.stage in {"none", "begun"},
        lambda c, v: replace(
            c, stage="failed", ending=c.ending or Ending("staging-failed", REFUSED, 0, v.sentence, "staging")
        ),
        lambda c, _: c.stage in {"ready", "failed", "out"},
    ),
    _rule(
        e.CreateAnswered,
        lambda c: _alive(c) and not c.answered,
        lambda c, _: replace(c, answered=True),
        lambda c, _: c.answered,
    ),
    _rule(
        e.StartRequested,
        lambda c: _going(c) and c.answered and not c.started_by,
        lambda c, v: replace(c, started_by=v.request),
        lambda c, v: c.started_by == v.request,
    ),
    _rule(
        e.StartWaitOver,
        lambda c: _going(c) and bool(c.started_by) and c.step == "none",
        lambda c, _: replace(c, promised=True),
        lambda c, _: c.promised or c.step != "none" or c.ending is not None,
    ),
    _rule(
        e.LaunchRequested,
        lambda c: _going(c) and c.step == "none" and bool(c.started_by) and c.stage == "ready",
        lambda c, _: replace(c, step="launching"),
        lambda c, _: c.step != "none",
    ),
    _rule(
        e.StepStarted,
        lambda c: _alive(c) and c.step == "launching",
        lambda c, v: replace(c, step="running", ran=True, step_id=v.step_id, nodes=v.nodes or c.nodes),
        lambda c, _: c.step in {"running", "ended"},
    ),
    _rule(
        e.StepEnded,
        lambda c: _alive(c) and c.step in {"launching", "running"},
        _step_ended,
        lambda c, _: c.step == "ended",
    ),
    _rule(
        e.SignalRequested,
        _going,
        _signal_requested,
        lambda c, v: any(s.request == v.request for s in c.signals)
        or any(request == v.request for request, _ in c.outcomes),
    ),
    _rule(
        e.SignalDelivered,
        _alive,
        lambda c, v: _signal_delivered(c, v.number),
        lambda c, v: all(s.number != v.number for s in c.signals),
    ),
    _rule(
        e.SignalFailed,
        _alive,
        lambda c, v: _signal_over(c, v.number, v.sentence),
        lambda c, v: all(s.number != v.number for s in c.signals),
    ),
    _rule(
        e.CancelRequested,
        _alive,
        _cancel,
        lambda c, v: c.finished or (c.ending is not None and (c.forced or not v.forced)),
    ),
    _rule(
        e.GivenUp,
        _alive,
        lambda c, _: _given_up(c),
        lambda c, _: c.given_up,
    ),
    _rule(
        e.OutputDrained,
        lambda c: _alive(c) and (c.step == "ended" or (c.promised and c.ending is not None)),
        lambda c, _: replace(c, drained=True),
        lambda c, _: c.drained,
    ),
    _rule(
        e.StagedOut,
        lambda c: _alive(c) and c.ending is not None and c.stage != "out",
        _staged_out,
        lambda c, _: c.stage == "out",
    ),
    _rule(
        e.JobReleased,
        lambda c: _alive(c) and c.ending is not None and c.job != "over",
        lambda c, _: replace(c, job="over"),
        lambda c, _: c.job == "over",
    ),
    _rule(
        e.Intervened,
        _alive,
        lambda c, _: c,
    ),
    _rule(
        e.Finished,
        lambda c: _alive(c) and c.ending is not None,
        lambda c, _: replace(c, finished=True),
        lambda c, _: c.finished,
    ),
])  # fmt: skip


def knows(container: Container, event: Message) -> bool:
    """Whether the event is old news: a repeated report, or one that has been overtaken."""
    return RULES[type(event)].known(container, event)


def apply(container: Container, event: Message) -> Container:
    """Return the state after an event; old news changes nothing.

    Raises:
        IllegalEventError: the event cannot happen in this state.

    """
    rule = RULES[type(event)]
    if rule.known(container, event):
        return container
    if not rule.allowed(container):
        now = f"{container.status}, job {container.job}, step {container.step}"
        msg = f"{type(event).__name__} cannot happen now ({now})"
        raise IllegalEventError(msg)
    return rule.update(container, event)


def replay(records: Iterable[Record]) -> Container:
    """Return the state that a journal tells of."""
    container = Container()
    for record in records:
        container = apply(container, record.event)
    return container
