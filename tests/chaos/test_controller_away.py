"""slurmctld hangs or is down at any time of a container's life: nobody spins, and all goes on when it is back."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from tests.slurm import site_conf

from .conftest import chosen
from .ordeal import echo, forget, nothing_left, read, read_line
from .sabotage import CONTROLLER, RUN, Daemon, Start, idle, pass_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from tests.slurm.runtime import Runtime

    from .conftest import Chaos

BACK = 60.0
"""Seconds in which all must be well when the controller is back; the nodes have to find it, too."""
TOLD_LATE = (26, 5)
"""Since this Slurm slurmstepd tells srun of a program's end when the controller has heard of it, and not before."""
TELLS_AGAIN = 60.0
"""Seconds in which it tries again to tell the controller (23 and 33 s after that was back, when it was measured)."""
SRUN_ASKS_AGAIN = 70.0
"""Seconds in which srun asks again for a step that was refused because the nodes were busy (67 were seen). With a
controller that has begun anew all are, until they have answered."""
NO_ANSWER = "controller did not answer"
OUTAGES: dict[str, Callable[[Daemon], AbstractContextManager[None]]] = {
    "hangs": lambda daemon: daemon.stopped(),
    "is restarted": lambda daemon: daemon.killed(signal.SIGTERM),
}
# A restarted daemon is adopted by this process, since the tests adopt whatever is lost.
pytestmark = [
    pytest.mark.outage,
    pytest.mark.usefixtures("nodes"),
    pytest.mark.may_leave("children"),
    pytest.mark.timeout(300),
]


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    with contextlib.ExitStack() as made:
        yield made


@pytest.mark.parametrize("how", chosen(OUTAGES))
def test_away_for_a_while(
    runtime: Runtime, chaos: Chaos, filled: Callable[[], None], how: str, stack: contextlib.ExitStack
) -> None:
    late = site_conf.version(runtime.runner) >= TOLD_LATE
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    waits = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    goes_on, ends, killed, cancelled = (echo(runtime, name) for name in ("goes-on", "ends", "killed", "cancelled"))
    created = runtime.box("/bin/sh", "-c", "exit 5", id="created")
    # The last one: Slurm does not let later jobs pass it at once.
    queued = runtime.box("/bin/sh", "-c", "exit 6", id="queued", annotations=waits, environ=site)
    boxes = [queued, goes_on, ends, killed, cancelled, created]
    jobs = {box.id: box.job() for box in boxes}
    queue = stack.enter_context(Start(runtime, queued))
    with OUTAGES[how](CONTROLLER), idle([box.anchor for box in boxes]):
        hasty = runtime.begin("/bin/true", id="hasty", environ=site)
        start = stack.enter_context(Start(runtime, created))
        os.kill(cancelled.anchor, signal.SIGINT)
        ends.close_stdin()
        # Slurm has not answered, and yet: done, and not by SIGKILL to the anchor.
        chaos.kill(runtime, killed)
        assert killed.wait() == 137
        assert killed.annotations()["scrun.end"] == "killed"
        # Accepted: it arrives when Slurm can be asked, and once.
        assert runtime("kill", goes_on.id, "USR1").returncode == 0
        # All bytes have come, and the exit status is the program's, however long Slurm takes.
        assert read_line(ends) == "bye"
        if not late:
            assert (read(ends), ends.wait()) == ("", 42)
        assert runtime.creating[hasty.id].wait(timeout=BACK) == 1
        assert NO_ANSWER in read(hasty)
        pass_time(30 if chaos.complete else 0)
        new = runtime.begin("/bin/true", id="new")
        for box, words in (new, "asking again"), (created, "launch was not heard"), (goes_on, "was not delivered"):
            log = runtime.root / box.id / "log"
            runtime.wait_until(lambda log=log, words=words: log.exists() and words in log.read_text(), BACK)
        assert ends.ended() != late
    chaos.figures["cases"] += len(boxes) + 2
    forget(runtime, hasty)
    nothing_left(runtime, hasty.id, 0)
    # What did not need the controller has not noticed; what waited for it goes on.
    assert read_line(goes_on) == "got"
    assert runtime("kill", goes_on.id, "USR1").returncode == 0
    assert read_line(goes_on) == "got"
    goes_on.close_stdin()
    assert (read(goes_on), goes_on.wait()) == ("bye\n", 42)
    assert start.result(SRUN_ASKS_AGAIN + BACK) == (0, "")
    assert "stuck" not in (runtime.root / created.id / "log").read_text()
    assert created.wait() == 5
    assert (ends.wait(TELLS_AGAIN + BACK), read(ends)) == (42, "")
    assert runtime.creating[new.id].wait(timeout=BACK) == 0
    assert runtime("delete", new.id).returncode == 0
    filled()
    assert queue.result(BACK) == (0, "")
    assert queued.wait(BACK) == 6
    assert cancelled.wait(BACK) in {130, 137, 143}
    assert "SIGINT" in cancelled.annotations()["scrun.end-reason"]
    for box in boxes:
        assert runtime("delete", box.id).returncode == 0
        forget(runtime, box)
        nothing_left(runtime, box.id, jobs[box.id], BACK)


def test_restarted_without_its_state(runtime: Runtime, chaos: Chaos) -> None:
    """It knows no job any more: the nodes end what they run, and the end is explained."""
    runs = echo(runtime, "runs")
    created = runtime.box("/bin/true", id="created")
    with CONTROLLER.killed(signal.SIGKILL, "-c"), idle([runs.anchor, created.anchor]):
        pass_time(1)
    # One that runs is ended by its node; of the other one the controller says that there is no such job.
    assert runs.wait(BACK) in {137, 143}
    assert runs.annotations()["scrun.end-reason"]
    sentence = runtime.fails("start", created.id)
    assert sentence
    assert created.wait(BACK) != 0
    for box in (runs, created):
        runtime.ok("delete", box.id)
        forget(runtime, box)
        nothing_left(runtime, box.id, 0)
    # It gives the numbers of its last seconds again, and crun keeps records of what slurmstepd has killed by these.
    for record in RUN.glob("oci/*/*.*.*"):
        shutil.rmtree(record)
    chaos.figures["cases"] += 2
