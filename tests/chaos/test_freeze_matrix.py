"""Each process but the anchor, stopped at each event: its lease runs out, it is replaced, nobody notices."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conftest import alive

from .conftest import chosen
from .ordeal import ECHO, in_parallel, jobs_by_cookie, read, read_line
from .test_kill_matrix import Case, check, struck
from .witness import EVENTS, ROLES, find

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

    from .conftest import Chaos

SIZE = 64 << 10


def test_stopped_at_each_event(runtime: Runtime, chaos: Chaos) -> None:
    data = chaos.data(SIZE)
    pairs = [(role, event) for role in ROLES for event in EVENTS[2:]]
    cases = [Case(role, event, n) for n, (role, event) in enumerate(chaos.some(pairs, 10))]

    def run(case: Case) -> tuple[int, str]:
        outcome, pid = struck(runtime, case, data, signal.SIGSTOP)
        check(outcome, data)
        if pid:
            # It was killed, not left behind: going on would not wake anything.
            runtime.wait_until(lambda: not alive(pid), what=f"end of {case.role} {pid}")
        chaos.figures["cases"] += 1
        chaos.figures["freezes"] += pid > 0
        return pid, outcome.cookie

    results = in_parallel(cases, run, 12)
    jobs = jobs_by_cookie(runtime)
    assert all(jobs.count(f"scrun:{cookie}") == 1 for _, cookie in results), jobs


@pytest.mark.parametrize("role", chosen(["state", "allocation"]))
def test_a_stopped_actor_that_goes_on(runtime: Runtime, role: str) -> None:
    """SIGCONT just before the lease is over, or after it: no harm either way."""
    box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"
    old = find(box.anchor, role)
    os.kill(old, signal.SIGSTOP)
    new = runtime.wait_until(lambda: (pid := find(box.anchor, role)) != old and pid, 20, what="a successor")
    with pytest.raises(ProcessLookupError):
        os.kill(old, signal.SIGCONT)
    # A stop that is shorter than the lease costs nobody his place.
    os.kill(new, signal.SIGSTOP)
    os.kill(new, signal.SIGCONT)
    runtime.ok("kill", box.id, "USR1")
    assert read_line(box) == "got"
    assert find(box.anchor, role) in {new, 0}  # it may have gone to rest
    box.close_stdin()
    assert (read(box), box.wait()) == ("bye\n", 42)


def test_a_stopped_anchor_ends_by_kill(runtime: Runtime) -> None:
    """It cannot obey; ``kill KILL`` is answered in time all the same, and the guard clears up."""
    box = runtime.running("/bin/sh", "-c", ECHO, stdin=True)
    assert read_line(box) == "ready"
    job = box.job()
    os.kill(box.anchor, signal.SIGSTOP)
    runtime("kill", box.id, "KILL", timeout=5)
    runtime("delete", "--force", box.id)
    box.wait()
    runtime.wait_until(lambda: runtime.released(job) and not runtime.left(box.id))
