"""The container's life as a pure machine: facts in, a new state out, and from the state what is wanted next.

There is no list of effects to carry out once. ``wanted(state)`` says, from the state alone, what has to happen
now; the state actor keeps asking for it until the fact arrives that makes it unwanted. A process that dies in
between therefore loses nothing: its replacement replays the journal and wants the same things again. Each
wanted thing must be safe to ask for twice.

``docs/architecture.md`` draws the machine.
"""

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar, cast

from . import events as e
from . import messages as m
from .creation import Creation
from .errors import ProtocolError
from .journal import Record
from .registry import Message
from .value import Value, replace

JobPhase = Literal["none", "requested", "queued", "granted", "over"]
StagePhase = Literal["none", "ready", "failed", "out"]
StepPhase = Literal["none", "launching", "running", "ended"]

SIGKILL = 9
FATAL = frozenset({1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31})
"""Signals that end a process that has no handler (signal(7)); real-time signals do, too."""
FIRST_REALTIME = 32


class IllegalEventError(ProtocolError):
    """The event cannot happen in this state."""


class Ending(Value):
    """Why and how the container ends.

    Attributes:
        kind: see ``events.EndKind``.
        exit_code: what the engine sees, 0 to 255, unless ``signal`` is set.
        signal: the signal that killed the program, or 0.
        sentence: for ``state``, the log and the tap; empty if the program just ended.
        code: error code for a caller who waits for something that will not happen.

    """

    kind: e.EndKind
    exit_code: int
    signal: int = 0
    sentence: str = ""
    code: str = "launch"


class PendingSignal(Value):
    """A signal on its way; ``request`` is the id of the message that asked for it."""

    number: int
    signal: int
    request: str


class Container(Value):
    """Everything that the journal says, and nothing else."""

    creation: Creation | None = None
    job: JobPhase = "none"
    job_id: int = 0
    nodes: str = ""
    foreign: bool = False
    queue_reason: str = ""
    impatient: bool = False
    stage: StagePhase = "none"
    bundle: str = ""
    rootfs: str = ""
    argv: tuple[bytes, ...] = ()
    answered: bool = False
    started_by: str = ""
    step: StepPhase = "none"
    step_id: str = ""
    signals: tuple[PendingSignal, ...] = ()
    signal_count: int = 0
    outcomes: tuple[tuple[str, str], ...] = ()
    ending: Ending | None = None
    hard: bool = False
    given_up: bool = False
    drained: bool = False
    finished: bool = False

    @property
    def status(self) -> str:
        """The OCI status: ``creating``, ``created``, ``running`` or ``stopped`` (runtime.md, State)."""
        if self.finished:
            return "stopped"
        if self.step in {"running", "ended"}:
            return "running"
        return "created" if self.answered else "creating"

    @property
    def ours(self) -> bool:
        """Whether there is, or may be, a job that scrun has to give back."""
        return not self.foreign and self.job in {"requested", "queued", "granted"}


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


def _job_ended(c: Container, event: e.JobEnded) -> Container:
    ending = c.ending or Ending(event.kind, event.exit_code, 0, event.sentence, event.code)
    return replace(c, job="over", ending=ending)


def _step_ended(c: Container, event: e.StepEnded) -> Container:
    ended = Ending(event.kind, event.exit_code, event.signal, event.sentence)
    if c.ending is not None:
        # Why it ends was known before; how the program took it is known now.
        ended = replace(ended, kind=c.ending.kind, sentence=c.ending.sentence or ended.sentence)
        if event.kind == "launch-failed":
            ended = c.ending
    return replace(c, step="ended", ending=ended)


def _signal_requested(c: Container, event: e.SignalRequested) -> Container:
    c = replace(c, signal_count=max(c.signal_count, event.number))
    if c.step in {"launching", "running"}:
        return replace(c, signals=(*c.signals, PendingSignal(event.number, event.signal, event.request)))
    c = replace(c, outcomes=(*c.outcomes, (event.request, "")))
    if event.signal in FATAL or event.signal >= FIRST_REALTIME:
        # No program runs yet; a program that has set no handler would end so.
        killed = Ending("killed", 128 + event.signal, event.signal, "ended by a signal before it was started")
        return replace(c, ending=killed, hard=True)
    return c


def _signal_over(c: Container, number: int, outcome: str) -> Container:
    done = [(s.request, outcome) for s in c.signals if s.number == number]
    left = tuple(s for s in c.signals if s.number != number)
    return replace(c, signals=left, outcomes=(*c.outcomes, *done))


def _cancel(c: Container, event: e.CancelRequested) -> Container:
    ending = c.ending or Ending("cancelled", event.exit_code, 0, f"cancelled by {event.by}")
    return replace(c, ending=ending, hard=c.hard or event.hard)


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
        lambda c, v: replace(c, job="granted", job_id=v.job_id, nodes=v.nodes, foreign=v.foreign),
        lambda c, _: c.job in {"granted", "over"},
    ),
    _rule(
        e.CreateWaitOver,
        lambda c: _going(c) and not c.answered,
        lambda c, _: replace(c, impatient=True),
        lambda c, _: c.impatient or c.answered or c.ending is not None,
    ),
    _rule(
        e.JobEnded,
        lambda c: _alive(c) and c.step in {"none", "ended"},
        _job_ended,
        # While srun is there it is srun's end that tells; the news is told again after it.
        lambda c, _: c.job == "over" or c.step in {"launching", "running"},
    ),
    _rule(
        e.StagedIn,
        lambda c: _alive(c) and c.stage == "none",
        lambda c, v: replace(c, stage="ready", bundle=v.bundle, rootfs=v.rootfs, argv=v.argv),
        lambda c, _: c.stage != "none",
    ),
    _rule(
        e.StagingFailed,
        lambda c: _alive(c) and c.stage == "none",
        lambda c, v: replace(
            c, stage="failed", ending=c.ending or Ending("staging-failed", 125, 0, v.sentence, "staging")
        ),
        lambda c, _: c.stage != "none",
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
        e.LaunchRequested,
        lambda c: _going(c) and c.step == "none" and bool(c.started_by) and c.stage == "ready",
        lambda c, _: replace(c, step="launching"),
        lambda c, _: c.step != "none",
    ),
    _rule(
        e.StepStarted,
        lambda c: _alive(c) and c.step == "launching",
        lambda c, v: replace(c, step="running", step_id=v.step_id),
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
        lambda c, v: _signal_over(c, v.number, ""),
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
        lambda c, v: c.finished or (c.ending is not None and (c.hard or not v.hard)),
    ),
    _rule(
        e.GivenUp,
        _alive,
        lambda c, _: replace(
            c, given_up=True, ending=c.ending or Ending("killed", 137, SIGKILL, "killed; Slurm is slow to confirm")
        ),
        lambda c, _: c.given_up,
    ),
    _rule(
        e.OutputDrained,
        lambda c: _alive(c) and c.step == "ended",
        lambda c, _: replace(c, drained=True),
        lambda c, _: c.drained,
    ),
    _rule(
        e.StagedOut,
        lambda c: _alive(c) and c.ending is not None and c.stage != "out",
        lambda c, _: replace(c, stage="out"),
        lambda c, _: c.stage == "out",
    ),
    _rule(
        e.JobReleased,
        lambda c: _alive(c) and c.ending is not None and c.job != "over",
        lambda c, _: replace(c, job="over"),
        lambda c, _: c.job == "over",
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


class Want(Value):
    """Something that has to happen now: an intent for an actor, or a fact that the state actor makes itself."""

    actor: str
    message: Message


def wanted(c: Container) -> tuple[Want, ...]:
    """What has to happen now, in the order in which to ask for it."""
    if c.creation is None or c.finished:
        return ()
    wants = _wanted_while_going(c) if c.ending is None else _wanted_to_end(c, c.ending)
    return tuple(Want(actor, message) for actor, message in wants)


def _wanted_while_going(c: Container) -> list[tuple[str, Message]]:
    wants: list[tuple[str, Message]] = []
    if c.job == "none":
        wants.append(("state", e.JobRequested(c.creation.cookie if c.creation else "")))
    if c.job in {"requested", "queued"}:
        wants.append(("allocation", m.RequestJob()))
    if c.job == "granted" and c.step == "none":
        if c.stage == "none":
            wants.append(("staging", m.StageIn(c.job_id, c.nodes)))
        if c.job_id:
            wants.append(("allocation", m.WatchJob(c.job_id)))
    if not c.answered and (c.stage == "ready" or (c.job == "queued" and c.impatient)):
        wants.append(("state", e.CreateAnswered()))
    if c.started_by and c.stage == "ready":
        if c.step == "none":
            wants.append(("state", e.LaunchRequested()))
        elif c.step in {"launching", "running"}:
            wants.append(("allocation", m.LaunchStep(c.job_id, c.bundle, c.argv)))
    if c.step == "running":
        wants += [("signals", m.RelaySignal(s.number, s.signal, c.job_id, c.step_id)) for s in c.signals]
    return wants


def _wanted_to_end(c: Container, ending: Ending) -> list[tuple[str, Message]]:
    if c.given_up:
        return [("state", e.Finished())]
    if c.step in {"launching", "running"}:
        # The allocation actor goes on listening for srun's end.
        return [
            ("allocation", m.LaunchStep(c.job_id, c.bundle, c.argv)),
            ("signals", m.EndStep(c.job_id, c.step_id, c.hard)),
        ]
    if c.step == "ended" and not c.drained:
        own = ending.kind in {"exited", "signalled", "killed"} or not ending.sentence
        return [("stdio", m.Drain("" if own else f"scrun: {ending.sentence}"))]
    wants: list[tuple[str, Message]] = []
    if c.stage != "out" and (c.stage != "none" or c.job == "granted"):
        complete = c.step == "ended" and ending.kind != "launch-failed"
        wants.append(("staging", m.StageOut(c.job_id, c.nodes, c.bundle, c.rootfs, complete)))
    if c.ours and (not wants or not (c.creation and c.creation.lua)):
        # A script may want to run commands on the nodes once more; the built-in stager does not need the job.
        wants.append(("allocation", m.ReleaseJob(c.job_id)))
    return wants or [("state", e.Finished())]
