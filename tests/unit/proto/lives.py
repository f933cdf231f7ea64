"""Hypothesis strategy for lives: histories that a container may have, driven by what it wants.

At each step one of five things happens: somebody who was asked for something answers, well or badly; the world (the
engine, Slurm, people, the clocks) does what it may do at any time; an answer arrives that nobody waits for any more;
something is reported once more; or the state actor is replaced, and its successor reads the journal. Each choice is
drawn, the ordinary one first, so that a failing life shrinks to a short and ordinary one.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from hypothesis import strategies as st

from proto.life import events as e
from proto.life import intents
from proto.life.container import Container
from proto.life.creation import Creation
from proto.life.ending import Ending
from proto.life.journal import pack, scan
from proto.life.lifecycle import apply, knows, replay
from proto.life.wants import Want, wanted
from proto.value import replace
from proto.wire.registry import Message
from tests.unit.creations import changed

from .strategies import CREATION

LONGEST = 70
"""Steps of a life; most have come to their end before."""
Act = Literal["answer", "world", "trouble", "end", "late", "again", "replace"]
ACTS: tuple[Act, ...] = (
    *("answer",) * 90, *("world",) * 24, "trouble", "end", *("late", "again") * 4, *("replace",) * 4, *("answer",) * 10,
)  # fmt: skip
CREATIONS = (CREATION, changed(CREATION, settings__scrun__lua="/etc/slurm/scrun.lua"), replace(CREATION, job_id=4))
"""A job of our own, one for a script, and a foreign one."""

STAGED = e.StagedIn("/s", "/s/rootfs", (b"x",))
STARTED = e.StepStarted("4.0", "n1")
ENDED = (
    e.StepEnded(Ending("exited", 0, 0, "")),
    e.StepEnded(Ending("exited", 7, 0, "the program exited with 7")),
    e.StepEnded(Ending("signalled", 139, 11, "the program was ended by SIGSEGV")),
)
SIGNALS = (10, 19, 19, 19, 19, 19, 18, 15, 9, 34, 19)
"""Pauses (19) and their ends (18) among others."""
SOFT = e.CancelRequested("SIGINT", 130)
HARD = e.CancelRequested("delete", 137, forced=True)

ANSWERS: dict[type[Message], tuple[Message, ...]] = {
    intents.StageIn: (
        *(STAGED,) * 5,
        e.StagingProgress(1, 2, 5, 6, 7),
        e.StagingFailed("it is full"),
        replace(STAGED, notice="one owner"),
    ),
    intents.LaunchStep: (STARTED,),
    intents.EndStep: (e.StepEnded(Ending("signalled", 143, 15, "")), *ENDED),
    intents.Drain: (e.OutputDrained(1, 2, 3),),
    intents.StageOut: (e.StagedOut(),),
    intents.ReleaseJob: (e.JobReleased(),),
}
"""The facts that may answer an intent, mostly well."""
TROUBLES: dict[type[Message], tuple[Message, ...]] = {
    intents.RequestJob: (e.JobEnded(Ending("refused", 125, 0, "there is no such partition", "scheduler")),),
    intents.WatchJob: (e.JobEnded(Ending("time-limit", 137, 0, "the job reached its time limit", "scheduler")),),
    intents.LaunchStep: (
        e.StepEnded(Ending("launch-failed", 125, 0, "a node did not start the container")),
        e.StepEnded(Ending("time-limit", 143, 15, "the job reached its time limit")),
        e.StepEnded(Ending("lost", 137, 9, "the program's exit status was lost")),
    ),
    intents.StageOut: (e.StagedOut("it is gone"),),
    intents.ReleaseJob: (e.JobEnded(Ending("cancelled", 137, 0, "the job was cancelled", "scheduler")),),
}
"""What else may come of it."""


def answers(message: Message, c: Container) -> tuple[Message, ...]:
    """The facts that may answer what is wanted, mostly well; the state actor's own facts answer themselves."""
    match message:
        case intents.RequestJob():
            granted = e.JobGranted(4, "n1", foreign=bool(c.creation and c.creation.job_id))
            return (granted, replace(granted, nodes="n1,n2"), *(e.JobQueued(4, "Resources"),) * 2)
        case intents.RelaySignal(number):
            return (e.SignalDelivered(number),) * 6
        case intents.WatchJob():
            return ()
        case intents.LaunchStep() if c.step != "launching":
            # The program runs for a while: its start is told again more often than its end is.
            return (*ENDED, *(STARTED,) * 27)
    return ANSWERS.get(type(message), (message,))


def troubles(message: Message) -> tuple[Message, ...]:
    """What else may come of it."""
    if isinstance(message, intents.RelaySignal):
        return (e.SignalFailed(message.number, "a node did not answer"),)
    return TROUBLES.get(type(message), ())


class Happened(NamedTuple):
    """One event with the states before and after it; old news leaves the state as it was."""

    before: Container
    event: Message
    after: Container

    @property
    def news(self) -> bool:
        """Whether anything has changed."""
        return self.before != self.after


class Life:
    """A container, what has happened to it, and what it has asked for so far."""

    def __init__(self, creation: Creation) -> None:
        self.creation = creation
        self.container = Container()
        self.steps: list[Happened] = []
        self.replaced: list[int] = []
        self.journal = bytearray()
        self._asked: dict[Want, None] = {}
        self.happen(e.CreateBegun(creation))

    def __repr__(self) -> str:
        events = "".join(f"  {step.event}\n" for step in self.steps[1:])
        script = self.creation.settings.scrun.lua
        return f"<life, job {self.creation.job_id}, lua {script!r}, replaced at {self.replaced}:\n{events}>"

    def happen(self, event: Message) -> None:
        """An event as the state actor takes it in; one that cannot be is a fault, for a life is one that may be."""
        if not knows(self.container, event):
            self.journal += pack(event, 1.0)
        after = apply(self.container, event)
        self.steps.append(Happened(self.container, event, after))
        self.container = after
        self._asked.update(dict.fromkeys(want for want in wanted(after) if want.actor != "state"))

    def replace(self) -> None:
        """A successor of the state actor goes on from the journal."""
        self.container = replay(record for _, record in scan(bytes(self.journal)))
        self.replaced.append(len(self.steps))

    @property
    def events(self) -> list[Message]:
        """All that was reported, old news too."""
        return [step.event for step in self.steps]

    def possible(self, act: Act) -> Sequence[Message]:
        """What may happen by that act now, the most ordinary first; the world can always do something."""
        if act == "answer":
            return [event for want in wanted(self.container) for event in answers(want.message, self.container)]
        if act == "trouble":
            return [event for want in wanted(self.container) for event in troubles(want.message)]
        if act == "late":
            now = set(wanted(self.container))
            late = [want.message for want in self._asked if want not in now]
            return [event for want in late for event in (*answers(want, self.container), *troubles(want))]
        if act == "again":
            return self.events
        sources = (_engine, _clocks) if act == "world" else (_ends,)
        return [event for source in sources for event in source(self.container)]


def _engine(c: Container) -> Sequence[Message]:
    if c.ending is not None:
        return [SOFT, HARD, e.GivenUp(), SOFT, HARD]
    start: list[Message] = []
    if c.answered:
        start = [e.StartRequested(c.started_by or "start")] * (1 if c.started_by else 20)
    number = c.signal_count + 1
    signals = SIGNALS if c.step in {"launching", "running"} else (28, 18)
    cancels = [SOFT, HARD, SOFT] if c.step in {"launching", "running"} or c.promised else []
    if c.job == "requested":
        cancels = [SOFT]
    again = [e.SignalRequested(number, s.signal, s.request) for s in c.signals] * 3
    if c.paused:
        signals = (*(18,) * 9, *signals)
    return [*start, *cancels, *again, *(e.SignalRequested(number, signum, f"kill-{number}") for signum in signals)]


def _clocks(c: Container) -> Sequence[Message]:
    create: list[Message] = [] if c.answered or c.ending is not None else [e.CreateWaitOver()] * 5
    start: list[Message] = [e.StartWaitOver()] * (1 if c.promised else 30) if c.started_by and c.step == "none" else []
    return [*create, *start]


def _ends(c: Container) -> Sequence[Message]:
    """What may end it, or has to be heard while it ends."""
    number = c.signal_count + 1
    return [
        SOFT,
        HARD,
        e.JobEnded(Ending("cancelled", 137, 0, "the job was cancelled", "scheduler")),
        e.GivenUp(),
        *([] if c.ending is not None else [e.SignalRequested(number, 15, f"kill-{number}")]),
    ]


Draw = Callable[[st.SearchStrategy[int]], int]


@st.composite
def lives(draw: Draw) -> Life:
    """A life, mostly from ``create`` to its end."""
    life = Life(CREATIONS[draw(st.integers(0, len(CREATIONS) - 1))])
    for _ in range(LONGEST):
        act = ACTS[draw(st.integers(0, len(ACTS) - 1))]
        if act == "replace":
            life.replace()
            continue
        possible = life.possible(act) or life.possible("world") or life.possible("answer")
        life.happen(possible[draw(st.integers(0, len(possible) - 1))])
        if life.container.finished:
            break
    return life
