"""What has to happen now, from the container's state alone.

There is no list of effects to carry out once. The state actor keeps asking for what is wanted until the fact
arrives that makes it unwanted. A process that dies in between therefore loses nothing: its replacement replays the
journal and wants the same things again. Each wanted thing must be safe to ask for twice.
"""

from proto.exit_codes import KILL
from proto.value import Value
from proto.wire.registry import Message

from . import events as e
from . import intents
from .container import Container
from .ending import Ending


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


def needed(c: Container) -> frozenset[str]:
    """The actors that have something to do.

    Of a program that runs only the end is wanted: the anchor brings the allocation actor back then. What it says comes
    to stdio alone, which has to be there when it begins, or its first word would come late.
    """
    at_work = {want.actor for want in wanted(c)}
    if c.step == "running" and c.ending is None:
        # The end of what is killed is near, and each would come back only then, one after the other.
        at_work = at_work | {"allocation", "stdio"} if c.killed else at_work - {"allocation"}
    if c.step == "launching" and c.creation is not None and not c.creation.terminal:
        at_work.add("stdio")
    return frozenset(at_work - {"state"})


def _wanted_while_going(c: Container) -> list[tuple[str, Message]]:
    wants: list[tuple[str, Message]] = []
    if c.job == "none":
        wants.append(("state", e.JobRequested(c.creation.cookie if c.creation else "")))
    if c.job in {"requested", "queued"}:
        wants.append(("allocation", intents.RequestJob(retry=not c.create_wait_over)))
    if c.job == "granted" and c.step == "none":
        if c.stage == "begun":
            wants.append(("staging", intents.StageIn(c.job_id, c.nodes)))
        if c.job_id:
            wants.append(("allocation", intents.WatchJob(c.job_id)))
    if not c.answered and (c.stage == "ready" or (c.create_wait_over and c.job in {"queued", "granted"})):
        wants.append(("state", e.CreateAnswered()))
    if c.started_by and c.stage == "ready":
        if c.step == "none":
            wants.append(("state", e.LaunchRequested()))
        elif c.step in {"launching", "running"}:
            runs = c.step == "running"
            wants.append(("allocation", intents.LaunchStep(c.job_id, c.bundle, c.argv, programs=c.programs, runs=runs)))
    if c.step == "running":
        single_node = not set(",[") & set(c.nodes)  # a host list of Slurm's: node1,node2 or node[1-2]
        # One at a time: each is a command of its own, and two that run side by side arrive in any order.
        due = [s for s in c.signals if s == c.signals[0] or s.signal == KILL]
        wants += [("signals", intents.RelaySignal(s.number, s.signal, c.step_id, single_node)) for s in due]
    return wants


def _wanted_to_end(c: Container, ending: Ending) -> list[tuple[str, Message]]:
    if c.given_up:
        return [("state", e.Finished())]
    if c.step in {"launching", "running"}:
        # The allocation actor goes on listening for srun's end.
        return [
            ("allocation", intents.LaunchStep(c.job_id, c.bundle, c.argv, retry=False, programs=c.programs)),
            ("signals", intents.EndStep(c.step_id, c.forced)),
        ]
    # Who was told that it runs looks for its end in its output.
    if (c.step == "ended" or c.promised) and not c.drained:
        own = ending.kind in {"exited", "signalled", "killed"} or not ending.sentence
        # A program that has failed may have failed by what its image has lost.
        failed = ending.kind == "exited" and ending.exit_code != 0
        last = (c.notice if failed else "") if own else ending.sentence
        return [("stdio", intents.Drain(f"scrun: {last}" if last else ""))]
    wants: list[tuple[str, Message]] = []
    if c.stage not in {"none", "out"}:
        complete = c.step == "ended" and ending.kind != "launch-failed"
        wants.append(("staging", intents.StageOut(c.job_id, c.nodes, c.bundle, c.rootfs, complete)))
    scripted = c.creation is not None and c.creation.settings.scrun.lua
    on_node = c.programs and c.step == "ended" and ending.kind != "node-failure"
    if c.ours and not (wants and (scripted or on_node)):
        # A script may want to run commands on the nodes once more, and changes may still lie there.
        wants.append(("allocation", intents.ReleaseJob(c.job_id, ending.exit_code)))
    return wants or [("state", e.Finished())]
