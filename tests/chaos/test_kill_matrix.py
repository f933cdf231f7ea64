"""Each process but the anchor, killed at each event: whoever uses the container notices nothing."""

from __future__ import annotations

import dataclasses
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conftest import alive

from .ordeal import Outcome, digest, in_parallel, jobs_by_cookie, last_words, live
from .witness import EVENTS, ROLES, Witness

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


def struck(runtime: Runtime, case: Case, data: bytes, signum: int = signal.SIGKILL) -> tuple[Outcome, int]:
    """A life in which one process is struck at one event; also its pid, 0 if it was never there."""
    pids = []

    def on_event(witness: Witness, word: str) -> None:
        if word == case.event and not pids:
            pids.append(witness.strike(case.role, signum))

    with Witness(runtime, case.name, on_event) as witness:
        try:
            outcome = live(runtime, case.name, data, witness)
        except BaseException as error:
            error.args = (f"{error} struck {pids} {witness.words}{last_words(runtime, case.name)}",)
            raise
    return outcome, pids[0] if pids else 0


def check(outcome: Outcome, data: bytes) -> None:
    assert outcome.code == 42
    assert outcome.output == digest(data), "other bytes came back"
    assert outcome.errors == "got\nbye\n"
    for once in ("CreateBegun", "JobGranted", "StepStarted", "SignalDelivered", "StepEnded", "Finished"):
        assert outcome.words.count(once) == 1, f"{once}: {outcome.words}"


@pytest.mark.parametrize("role", ROLES)
def test_killed_at_each_event(runtime: Runtime, chaos: Chaos, role: str) -> None:
    data = chaos.data(SIZE)
    cases = [Case(role, event, n) for n, event in enumerate(chaos.some(EVENTS, 4))]

    def run(case: Case) -> tuple[Outcome, int]:
        outcome, pid = struck(runtime, case, data)
        check(outcome, data)
        assert not pid or not alive(pid)
        return outcome, pid

    results = in_parallel(cases, run)
    jobs = jobs_by_cookie(runtime)
    for outcome, pid in results:
        assert jobs.count(f"scrun:{outcome.cookie}") == 1, f"one job only: {jobs}"
        chaos.figures["cases"] += 1
        chaos.figures["kills"] += pid > 0
        chaos.figures["bytes both ways"] += 2 * SIZE
    # Staging runs only while it is needed; everybody else is there at every event, or soon after.
    assert role == "staging" or all(pid for _, pid in results if pid is not None) or role == "state"
