"""The machine's clock jumps, an hour forth or back, at any time of a container's life: nothing depends on it.

Only scrun's own processes, and the commands of Slurm that they start, see the other time: libfaketime changes what they
are told. Slurm's daemons and MUNGE keep theirs, so credentials stay valid.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from proto.life import journal
from tests.conftest import read_proc

from .conftest import chosen
from .ordeal import ECHO, digest, forget, in_parallel, nothing_left, pump, read, read_line, told
from .sabotage import family, idle, pass_time
from .witness import EVENTS, Witness, find

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

LIBRARY = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), pathlib.Path("/no/libfaketime"))
JUMPS = {"an hour forth": "+3600", "an hour back": "-3600"}
SLOW = "trap 'echo wait; sleep 3; exit 9' TERM; echo ready >&2; while :; do sleep 0.1; done"
LEASE = 7.0
"""Seconds in which every lease has to be renewed at least once, and every clock of a few seconds would have rung."""
pytestmark = [pytest.mark.timeout(300)]


class Clock:
    """The time that a container's processes are told, as long as they are told it.

    Not for ``delete``, which may have to wait for the last of them: under a changed clock libfaketime 0.9.10 answers
    each ``time.sleep`` of Python 3.11 with EINVAL (its issue 426).
    """

    def __init__(self, runtime: Runtime, name: str) -> None:
        self._path = runtime.directory / f"clock-{name}"
        self.jump("+0")
        self.environ = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._path),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, offset: str) -> None:
        """Set it so many seconds forth or back; whoever reads sees the old time or the new one."""
        new = self._path.with_name(f"{self._path.name}.new")
        new.write_text(f"{offset}\n")
        new.chmod(0o644)
        new.rename(self._path)


def incarnations(box: Box) -> dict[str, int]:
    """Who is there all the time; the others come and go."""
    return {role: find(box.anchor, role) for role in ("state", "guard")}


def times(runtime: Runtime, box: Box) -> list[float]:
    """The wall-clock times in the journal."""
    return [record.time for record in journal.read(str(runtime.root / box.id / "journal"))]


def listed(runtime: Runtime, box: Box, clock: Clock) -> dict[str, Any]:
    """What ``list`` says of a container, to somebody with the same clock."""
    done = runtime("list", "--format", "json", environ=clock.environ)
    assert done.returncode == 0, done.stderr
    return next(state for state in json.loads(done.stdout) if state["id"] == box.id)


def check_words(runtime: Runtime, box: Box, clock: Clock, status: str) -> None:
    state = box.state()
    assert (state["status"], state["pid"]) == (status, box.anchor)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", state["created"])
    assert {key: listed(runtime, box, clock)[key] for key in ("status", "pid", "created")} == {
        key: state[key] for key in ("status", "pid", "created")
    }


@dataclasses.dataclass(frozen=True)
class Case:
    jump: str
    event: str

    @property
    def name(self) -> str:
        return f"{self.event}{JUMPS[self.jump]}".replace("+", "_")


def test_jumps_at_each_event(runtime: Runtime, chaos: Chaos) -> None:
    data = chaos.data(1 << 16)
    cases = chaos.some([Case(jump, event) for event in EVENTS for jump in JUMPS], 4)

    def run(case: Case) -> None:
        clock = Clock(runtime, case.name)

        def on_event(_: Witness, word: str) -> None:
            if word == case.event:
                clock.jump(JUMPS[case.jump])

        with Witness(runtime, case.name, on_event) as witness:
            try:
                live(runtime, case.name, data, clock, witness)
            except BaseException as error:
                error.add_note(told(runtime, case.name, witness))
                raise
        chaos.figures["cases"] += 1

    in_parallel(cases, run)


def live(runtime: Runtime, name: str, data: bytes, clock: Clock, witness: Witness) -> None:
    box = runtime.begin("/bin/sh", "-c", ECHO, id=name, stdin=True, environ=clock.environ)
    assert runtime.creating[name].wait(60) == 0, read(box)
    box.anchor = witness.anchor()
    assert runtime("start", name, environ=clock.environ).returncode == 0
    assert read_line(box) == "ready"
    before = incarnations(box)
    assert runtime("kill", name, "USR1", environ=clock.environ).returncode == 0
    assert read_line(box) == "got"
    check_words(runtime, box, clock, "running")
    assert pump(box, data) == digest(data)
    assert incarnations(box).items() <= before.items(), "an actor was replaced"
    assert (read(box), box.wait()) == ("bye\n", 42)
    state = box.state()
    assert (state["status"], state["annotations"]["scrun.exit-code"]) == ("stopped", "42")
    runtime.ok("delete", name)
    forget(runtime, box)
    nothing_left(runtime, name, int(state["annotations"]["scrun.job-id"]))


@pytest.mark.parametrize("jump", chosen(JUMPS))
def test_nothing_expires_and_nobody_spins(
    runtime: Runtime, chaos: Chaos, jump: str, filled: Callable[[], None]
) -> None:
    """Created, running, in the queue, and on the way out: all of them at once, for longer than a lease."""
    clock = Clock(runtime, "all")
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    runs = runtime.running("/bin/sh", "-c", ECHO, id="runs", stdin=True, environ=clock.environ)
    assert read_line(runs) == "ready"
    created = runtime.box("/bin/sh", "-c", "exit 5", id="created", environ=clock.environ)
    ends = runtime.running("/bin/sh", "-c", SLOW, id="ends", environ=clock.environ)
    assert read_line(ends) == "ready"
    waits = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    queued = runtime.box("/bin/sh", "-c", "exit 6", id="queued", annotations=waits, environ=clock.environ | site)
    boxes = [runs, created, ends, queued]
    jobs = [box.job() for box in boxes]
    start = runtime.runner.start(runtime.words("start", queued.id), stderr=subprocess.DEVNULL)
    before = {box.id: incarnations(box) for box in boxes}
    for box in boxes:
        told_of = [pid for pid in family(box.anchor) if b"libfaketime" in read_proc(pid, "environ")]
        assert {box.anchor, *before[box.id].values()} <= set(told_of)
    os.kill(ends.anchor, signal.SIGINT)
    assert read_line(ends, "out") == "wait"  # slurmstepd has words of its own on the other stream
    clock.jump(JUMPS[jump])
    with idle([box.anchor for box in boxes]):
        pass_time(30 if chaos.complete else LEASE)
    for box in (runs, created, queued):
        check_words(runtime, box, clock, "running" if box is runs else "created")
        assert incarnations(box) == before[box.id], "an actor was replaced"
        assert runtime("kill", box.id, "0").returncode == 0
    filled()
    assert start.wait(60) == 0
    assert queued.wait(60) == 6
    assert runtime("start", created.id, environ=clock.environ).returncode == 0
    assert created.wait() == 5
    runs.close_stdin()
    assert runs.wait() == 42
    # The ten seconds from SIGTERM to SIGKILL were not over.
    assert ends.wait() == 9
    for box, job in zip(boxes, jobs, strict=True):
        runtime.ok("delete", box.id)
        forget(runtime, box)
        nothing_left(runtime, box.id, job)
    chaos.figures["cases"] += len(boxes)


def test_the_processes_do_see_the_other_time(runtime: Runtime) -> None:
    """Or the others would show nothing."""
    clock = Clock(runtime, "shown")
    box = runtime.running("/bin/sh", "-c", ECHO, id="shown", stdin=True, environ=clock.environ)
    assert read_line(box) == "ready"
    clock.jump("+3600")
    assert runtime("kill", box.id, "USR1").returncode == 0
    last = times(runtime, box)[-1]
    assert 3500 < last - time.time() < 3700
    clock.jump("-3600")
    box.close_stdin()
    assert box.wait() == 42
    assert -3700 < times(runtime, box)[-1] - time.time() < -3500
