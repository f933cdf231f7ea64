"""What led to an event, from the journal alone.

No cause is written down, and none has to be: events change the state, and from the state alone follows what is wanted
and which clocks run. So an event comes of those events after which that was wanted which it answers, or after which
the clock ran that struck; or, if it comes late, of those after which that was wanted last. What nobody here has
wanted, a request or a signal from outside, begins a chain.
"""

from collections.abc import Iterable, Iterator

from proto.life import events as e
from proto.life import lifecycle, wants
from proto.life.container import Container
from proto.life.journal import Record
from proto.value import Value
from proto.wire.registry import Message, word_of

from . import clocks

ANSWERS: dict[str, tuple[type[Message], ...]] = {
    "request-job": (e.JobQueued, e.JobGranted, e.JobEnded),
    "watch-job": (e.JobEnded,),
    "launch-step": (e.StepStarted, e.StepEnded),
    "release-job": (e.JobReleased,),
    "stage-in": (e.StagingProgress, e.StagedIn, e.StagingFailed),
    "stage-out": (e.StagedOut,),
    "relay-signal": (e.SignalDelivered, e.SignalFailed),
    "end-step": (e.StepEnded,),
    "drain": (e.OutputDrained,),
}
"""Which facts answer an intent (docs/protocol.md, Intents and facts)."""


Link = tuple[str, int]
"""The word of an intent or of a fact, or the name of a clock; and the number of the signal that it is about, or 0."""


class Cause(Value):
    """One reason for an event.

    Attributes:
        event: number of the earlier event, from 1.
        link: what that one has brought about: the word of an intent or of a fact, or the name of a clock.

    """

    event: int
    link: str


def causes(records: Iterable[Record]) -> list[tuple[Cause, ...]]:
    """The causes of each record, in the journal's order."""
    container = Container()
    since: dict[Link, int] = {}
    unanswered: dict[Link, int] = {}
    found = []
    for number, record in enumerate(records, 1):
        links = dict.fromkeys(_answered(container, record.event)) or dict.fromkeys(_late(unanswered, record.event))
        found.append(tuple(Cause(unanswered[link], link[0]) for link in links))
        container = lifecycle.apply(container, record.event)
        since = {link: since.get(link, number) for link in _links(container)}
        unanswered = {link: begun for link, begun in unanswered.items() if link not in links} | since
    return found


def related(found: list[tuple[Cause, ...]], number: int) -> tuple[set[int], set[int]]:
    """The numbers of all that led to an event, and of all that came of it."""
    before, after = {number}, {number}
    for at in range(number, 0, -1):
        if at in before:
            before |= {cause.event for cause in found[at - 1]}
    for at in range(number + 1, len(found) + 1):
        if any(cause.event in after for cause in found[at - 1]):
            after.add(at)
    return before - {number}, after - {number}


def _late(unanswered: Iterable[Link], event: Message) -> Iterator[Link]:
    """Of what has been wanted once, that which the event answers: a tree is staged while the job ends."""
    for link in unanswered:
        if type(event) in ANSWERS.get(link[0], ()) and _signal_of(event) == link[1]:
            yield link


def _links(c: Container) -> Iterator[Link]:
    """What a state brings about: wants, signals each by its number, and clocks."""
    for want in wants.wanted(c):
        yield _link(want.message)
    if c.creation is not None:
        yield from ((clock, 0) for clock in clocks.running(c, c.creation.settings))


def _link(message: Message) -> Link:
    return word_of(type(message)), _signal_of(message)


def _answered(c: Container, event: Message) -> Iterator[Link]:
    """Of what this state brings about, that which the event answers."""
    for want in wants.wanted(c):
        link = _link(want.message)
        if want.actor == "state":
            if want.message == event:
                yield link
        elif type(event) in ANSWERS[link[0]] and _signal_of(event) == link[1]:
            yield link
    if c.creation is not None:
        for clock in clocks.running(c, c.creation.settings):
            if clocks.STRIKES[clock](c) == event:
                yield clock, 0


def _signal_of(message: Message) -> int:
    """The number of the signal that it is about; 0: about none."""
    return getattr(message, "number", 0)
