"""Hypothesis strategies for the protocol's tests: a creation, and every kind of event."""

from typing import Any

from hypothesis import strategies as st

from proto.life import events as e
from proto.life.creation import Caller, Creation, Log
from proto.life.ending import Ending
from proto.life.settings import Scrun, Settings
from proto.wire.registry import Message

CREATION = Creation(
    id="c1", root="/run/user/7/scrun", bundle="/b", rootfs="/b/rootfs", oci_version="1.0.2", terminal=False,
    readonly=False, args=(b"/bin/true", b"\xff"), program=b"/bin/true", annotations={"a": "b"},
    created=1.5, cookie="c00kie", caller=Caller(7, 7, "u", "g", "/home/u", namespaced=True), environ=(b"PATH=/bin",),
    cwd="/", pid_file="", console_socket="", log=Log("", "text", "info"), job_id=0,
    settings=Settings(Scrun(scheduler="slurm"), job={"partition": "debug"}),
)  # fmt: skip

words = st.text(max_size=4)
numbers = st.integers(min_value=0, max_value=3)
ids = st.sampled_from(["r1", "r2", "r3"])
signals = st.sampled_from([1, 2, 9, 15, 17, 18, 19, 28, 34])
kinds = st.sampled_from(["exited", "signalled", "cancelled", "launch-failed"])
endings = st.builds(Ending, kinds, numbers, numbers, words)

EVENTS: dict[type[Message], st.SearchStrategy[Any]] = {
    e.CreateBegun: st.just(e.CreateBegun(CREATION)),
    e.JobRequested: st.builds(e.JobRequested, words),
    e.JobQueued: st.builds(e.JobQueued, numbers, words),
    e.JobGranted: st.builds(e.JobGranted, numbers, words, st.booleans()),
    e.CreateWaitOver: st.just(e.CreateWaitOver()),
    e.JobEnded: st.builds(e.JobEnded, endings),
    e.StagingProgress: st.builds(e.StagingProgress, numbers, numbers, numbers, numbers, numbers),
    e.StagedIn: st.builds(e.StagedIn, words, words, st.just((b"x",))),
    e.StagingFailed: st.builds(e.StagingFailed, words),
    e.CreateAnswered: st.just(e.CreateAnswered()),
    e.StartRequested: st.builds(e.StartRequested, ids),
    e.StartWaitOver: st.just(e.StartWaitOver()),
    e.LaunchRequested: st.just(e.LaunchRequested()),
    e.StepStarted: st.builds(e.StepStarted, words),
    e.StepEnded: st.builds(e.StepEnded, endings),
    e.SignalRequested: st.builds(e.SignalRequested, numbers, signals, ids),
    e.SignalDelivered: st.builds(e.SignalDelivered, numbers),
    e.SignalFailed: st.builds(e.SignalFailed, numbers, words),
    e.CancelRequested: st.builds(e.CancelRequested, words, numbers, st.booleans()),
    e.GivenUp: st.just(e.GivenUp()),
    e.OutputDrained: st.builds(e.OutputDrained, numbers, numbers, numbers),
    e.StagedOut: st.builds(e.StagedOut, words),
    e.JobReleased: st.just(e.JobReleased()),
    e.Intervened: st.builds(e.Intervened, words, words, numbers, numbers, ids),
    e.Finished: st.just(e.Finished()),
}

events = st.one_of(*EVENTS.values())
wild = st.lists(events, max_size=40).map(lambda tail: [e.CreateBegun(CREATION), *tail])
"""Any events in any order, most of which cannot be; ``lives`` has those that can."""
