"""Each process but the anchor, killed at each event: whoever uses the container notices nothing."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conftest import alive, read_proc, state_and_parent

from .ordeal import ECHO, Outcome, digest, in_parallel, jobs_by_cookie, live, pump, read, read_line, told
from .witness import EVENTS, ROLES, Witness, find

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

    from .conftest import Chaos

SIZE = 256 << 10


@dataclasses.dataclass(frozen=True)
class Case:
    role: str
    event: str
    number: int

    @property
    def name(self) -> str:
        return f"{self.role}-{self.event}-{self.number}"

    @property
    def sure(self) -> bool:
        """Whether the process is there then.

        Staging runs only while it is needed, and after the program's end everybody is soon on the way out.
        """
        return self.role != "staging" and self.event in EVENTS[: EVENTS.index("step-ended")]


def struck(runtime: Runtime, case: Case, data: bytes, signum: int = signal.SIGKILL) -> tuple[Outcome, int]:
    """A life in which one process is struck at one event; also its pid, 0 if it was never there."""
    pids: list[int] = []

    def on_event(witness: Witness, word: str) -> None:
        if word == case.event and not pids:
            pids.append(witness.strike(case.role, signum))

    with Witness(runtime, case.name, on_event) as witness:
        try:
            # On a busy machine the witness lags behind, and would strike when the program has come to its end.
            outcome = live(runtime, case.name, data, witness, lambda: pids or not case.sure)
        except BaseException as error:
            error.add_note(f"{pids} {told(runtime, case.name, witness)}")
            raise
    return outcome, pids[0] if pids else 0


def check(outcome: Outcome, data: bytes) -> None:
    assert outcome.code == 42
    assert outcome.output == digest(data), "other bytes came back"
    assert outcome.errors == "got\nbye\n", outcome.events[5:]
    for once in ("CreateBegun", "JobGranted", "StepStarted", "StepEnded", "Finished"):
        assert outcome.words.count(once) == 1, f"{once}: {outcome.words}"
    # Once on standard error, as seen above; the program may have ended before anybody could report it.
    assert outcome.words.count("SignalDelivered") <= 1, outcome.words


@pytest.mark.parametrize("role", ROLES)
def test_killed_at_each_event(runtime: Runtime, chaos: Chaos, role: str) -> None:
    data = chaos.data(SIZE)
    cases = [Case(role, event, n) for n, event in enumerate(chaos.some(EVENTS, 4))]

    def run(case: Case) -> tuple[Outcome, int]:
        outcome, pid = struck(runtime, case, data)
        check(outcome, data)
        assert not pid or not alive(pid)
        assert pid or not case.sure
        return outcome, pid

    results = in_parallel(cases, run)
    jobs = jobs_by_cookie(runtime)
    for outcome, pid in results:
        assert jobs.count(f"scrun:{outcome.cookie}") == 1, f"one job only: {jobs}"
        chaos.figures["cases"] += 1
        chaos.figures["kills"] += pid > 0
        chaos.figures["bytes both ways"] += 2 * SIZE


@pytest.mark.parametrize("event", ["job-granted", "create-answered", "launch-requested", "signal-requested"])
def test_all_actors_killed_at_once(runtime: Runtime, chaos: Chaos, event: str) -> None:
    data = chaos.data(SIZE)

    def massacre(witness: Witness, word: str) -> None:
        if word == event:
            struck = [witness.strike(role) for role in ("state", "allocation", "stdio", "signals", "guard")]
            chaos.figures["kills"] += sum(1 for pid in struck if pid)

    name = f"all-{event}"
    with Witness(runtime, name, massacre) as witness:
        check(live(runtime, name, data, witness), data)
    chaos.figures["cases"] += 1


def test_state_killed_again_and_again(runtime: Runtime, chaos: Chaos) -> None:
    data = chaos.data(SIZE)
    # With more of them the back-off's pauses of five seconds would add up to more than "kill" waits.
    events = set(chaos.random.sample(EVENTS, 5))
    killed = []

    def on_event(witness: Witness, word: str) -> None:
        if word in events:
            killed.append(witness.strike("state"))

    with Witness(runtime, "serial", on_event) as witness:
        check(live(runtime, "serial", data, witness), data)
    chaos.figures["kills"] += sum(1 for pid in killed if pid)
    chaos.figures["cases"] += 1


def test_killed_at_random_instants_while_bytes_flow(runtime: Runtime, chaos: Chaos) -> None:
    size = (256 if chaos.complete else 64) << 20
    data = chaos.data(1 << 20) * (size >> 20)
    instants = sorted(chaos.random.randrange(1 << 16, size) for _ in range(24 if chaos.complete else 12))
    targets = ("state", "allocation", "stdio", "stdio", "stdio", "guard")
    roles = [chaos.random.choice(targets) for _ in instants]
    box = runtime.running("/bin/cat", id="flood", stdin=True)
    plan = list(zip(instants, roles, strict=True))
    done = []

    def progress(total: int) -> None:
        while plan and plan[0][0] <= total:
            _, role = plan.pop(0)
            pid = find(box.anchor, role)
            # It may be on its way back just now.
            if pid:
                os.kill(pid, signal.SIGKILL)
                done.append(role)

    assert pump(box, data, progress) == digest(data), f"other bytes came back after {done}"
    assert (box.wait(), read(box)) == (0, "")
    assert len(done) >= 5, done
    chaos.figures["kills"] += len(done)
    chaos.figures["bytes both ways"] += 2 * size
    chaos.figures["cases"] += 1


@pytest.mark.parametrize("twice", [False, True])
def test_a_signal_to_the_anchor_outlives_the_state_actor_that_heard_it(runtime: Runtime, twice: bool) -> None:
    box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"
    state = find(box.anchor, "state")
    os.kill(state, signal.SIGSTOP)
    os.kill(box.anchor, signal.SIGUSR1)
    runtime.wait_until(lambda: heeded(box.anchor), what="the anchor takes note")
    os.kill(state, signal.SIGKILL)
    assert read_line(box) == "got"
    if twice:
        os.kill(find(box.anchor, "state"), signal.SIGKILL)
    box.close_stdin()
    assert (read(box), box.wait()) == ("bye\n", 42)


def heeded(pid: int) -> bool:
    """Whether a process has handled its signals and waits again."""
    pending = re.findall(r"^(?:SigPnd|ShdPnd):\s*(\w+)$", read_proc(pid, "status").decode(), re.MULTILINE)
    return not any(int(mask, 16) for mask in pending) and state_and_parent(pid)[0] == "S"
