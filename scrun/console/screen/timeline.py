"""The life of a container in five stages, each with its time, from the journal. Pure."""

import time
from collections.abc import Iterable, Mapping

from proto.life import events as e
from proto.life import lifecycle
from proto.life.container import Container
from proto.life.journal import Record
from proto.value import Value, replace
from scrun.report.durations import length

BAR = 10
"""Characters of a bar."""
STAGES = ("queued", "staging in", "launching", "running", "staging out")


class Stage(Value):
    """One of the stages.

    Attributes:
        name: of ``STAGES``.
        begin, end: seconds since the epoch; None: not yet.
        share: how much of it is done, 0 to 1; None if that is not known.

    """

    name: str
    begin: float | None = None
    end: float | None = None
    share: float | None = None


class Timeline(Value):
    """What a journal tells.

    Attributes:
        stages: all of them, in their order.
        container: as it is at the end of the journal.

    """

    stages: tuple[Stage, ...]
    container: Container


def read(records: Iterable[Record]) -> Timeline:
    """The stages as far as they have come."""
    found = {name: Stage(name) for name in STAGES}
    container, now = Container(), ""
    for record in records:
        container = lifecycle.apply(container, record.event)
        before, now = now, _stage(container)
        if before != now and before:
            found[before] = replace(found[before], end=record.time)
        if before != now and now:
            found[now] = replace(found[now], begin=record.time, end=None)
        if isinstance(record.event, e.StagingProgress) and record.event.total:
            part = (record.event.part - 1 + min(1.0, record.event.size / record.event.total)) / max(
                1, record.event.parts
            )
            found["staging in"] = replace(found["staging in"], share=part)
    return Timeline(tuple(found.values()), container)


def _stage(c: Container) -> str:
    """The stage that a container is in; empty between two of them, and when all is over."""
    if c.finished:
        return ""
    if c.step in {"launching", "running"}:
        return c.step
    if c.ending is not None:
        return "staging out" if c.stage not in {"none", "out"} else ""
    if c.job in {"requested", "queued"}:
        return "queued"
    return "staging in" if c.job == "granted" and c.stage == "begun" else ""


def lines(timeline: Timeline, now: float, details: Mapping[str, str], *, over: bool) -> list[str]:
    """A line for each stage: when it began, how long it took or takes, how far it is, and what there is to say.

    Args:
        timeline: of the container.
        now: seconds since the epoch.
        details: what there is to say of stages.
        over: whether nobody goes on with it: what has no end will have none.

    """
    return [_line(stage, now, details.get(stage.name, ""), over=over) for stage in timeline.stages]


def _line(stage: Stage, now: float, detail: str, *, over: bool) -> str:
    if stage.begin is None:
        return f"{stage.name:12}-"
    began = time.strftime("%H:%M:%S", time.localtime(stage.begin))
    going = stage.end is None and not over
    took = length((now if going else stage.end or stage.begin) - stage.begin)
    bar = f"{bar_of(stage.share)} " if going and stage.share is not None else ""
    return f"{stage.name:12}{began}  {took:12}{'»' if going else ' '} {bar}{detail}".rstrip()


def bar_of(share: float) -> str:
    """A share, 0 to 1, as a bar."""
    full = max(0, min(BAR, round(share * BAR)))
    return "█" * full + "░" * (BAR - full)
