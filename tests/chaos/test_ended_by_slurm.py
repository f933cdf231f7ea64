"""What happens to the job behind scrun's back, in every state: scancel, scontrol, the time limit and its warning.

Each time the engine sees an exit status that is true, ``state`` says why, and nothing is left.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.node import ONE_OVERLAY

from .ordeal import ECHO, GOT, forget, in_parallel, nothing_left, read, read_line, told
from .test_cancellation import AFTER_THE_END, LIMIT, check_end, interrupt_twice, job_of, scripted
from .witness import Witness

if TYPE_CHECKING:
    from tests.conftest import Runner
    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

EVENTS = (
    "job-granted", "staged-in", "create-answered", "start-requested", "launch-requested", "step-started", "step-ended",
    "output-drained",
)  # fmt: skip
"""The events after each of which there is a scancel: there is a job."""
POLITE = f"trap 'exit 143' TERM; {ECHO}"


def test_scancel_at_each_event(runtime: Runtime, chaos: Chaos) -> None:
    def run(event: str) -> None:
        done: list[int] = []

        def on_event(witness: Witness, word: str) -> None:
            if word == event and not done:
                done.append(runtime.runner(["scancel", str(job_of(witness))]).returncode)

        name = f"{event}-{len(runtime.boxes)}"
        with Witness(runtime, name, on_event) as witness:
            try:
                box = runtime.begin("/bin/sh", "-c", POLITE, id=name, stdin=True)
                created = runtime.creating[name].wait(timeout=LIMIT) == 0
                started = created and runtime("start", name).returncode == 0
                if started and event in AFTER_THE_END:
                    box.close_stdin()
                box.anchor = witness.anchor()
                # 143: how the program took SIGTERM. 137: it had not begun.
                own = started and event in AFTER_THE_END
                check_end(runtime, box, "cancelled", {137, 143}, created=created, own=own, refusal="job")
                # The last events come so close to the end that it may be over before scancel is.
                runtime.wait_until(lambda: done, LIMIT, what="scancel")
                assert done == [0]
                job = job_of(witness)
                assert runtime("delete", "--force", name).returncode == 0
            except BaseException as error:
                error.add_note(told(runtime, name, witness))
                raise
        forget(runtime, box)
        nothing_left(runtime, name, job)
        chaos.figures["cases"] += 1

    in_parallel(chaos.some(EVENTS, 4), run)


def test_changes_that_lie_on_a_node_without_a_job_are_told(runtime: Runtime, as_user: Runner) -> None:
    root = {"path": str(runtime.directory / "rootfs"), "readonly": False}
    script = "echo x >/bin/file; echo y >/file; echo ready >&2; while :; do sleep 0.1; done"
    box = runtime.running("/bin/sh", "-c", script, config={"root": root})
    assert read_line(box) == "ready"
    assert runtime.runner(["scancel", str(box.job())]).returncode == 0
    assert box.wait(LIMIT) == 137
    runtime.wait_until((runtime.root / box.id / "unstaged").exists, LIMIT)
    done = runtime("delete", box.id)
    assert done.returncode == 0
    lost = re.search(r"changes could not be brought back: .* \(they lie in (\S+) there\)", runtime.log.read_text())
    assert lost is not None
    assert as_user(["cat", f"{lost[1]}/u/bin/file"]).stdout == "x\n"
    # Of an overlay for each top directory what is in none of them is in the bundle, and comes back even so.
    place = f"{lost[1]}/u" if ONE_OVERLAY else root["path"]
    assert as_user(["cat", f"{place}/file"]).stdout == "y\n"
    assert as_user(["unshare", "-r", "rm", "-r", lost[1]]).returncode == 0


def test_signals_by_scancel(runtime: Runtime) -> None:
    """To the job's steps, as Slurm means it; a container that is not started has none, and nothing happens to it."""
    created = runtime.box("/bin/sh", "-c", "exit 4")
    box = runtime.running("/bin/sh", "-c", "trap 'exit 9' USR1; echo ready >&2; while :; do sleep 0.1; done")
    assert read_line(box) == "ready"
    for each in (created, box):
        runtime.runner(["scancel", "--signal=USR1", str(each.job())])
    assert box.wait(LIMIT) == 9
    runtime.ok("start", created.id)
    assert created.wait(LIMIT) == 4


def test_created_and_then(runtime: Runtime, as_root: Any) -> None:
    """A requeue is refused, as for every interactive job; after a pause all is as before."""
    requeued, suspended, killed = (runtime.box("/bin/sh", "-c", "exit 4", id=f"c{n}") for n in range(3))
    jobs = {box.id: box.job() for box in (requeued, suspended, killed)}
    assert as_root(["scontrol", "requeue", str(jobs[requeued.id])]).returncode != 0
    assert requeued.state()["status"] == "created"
    for box in (suspended, killed):
        assert as_root(["scontrol", "suspend", str(jobs[box.id])]).returncode == 0
        assert box.state()["status"] == "created"
    runtime.ok("kill", killed.id, "KILL")
    assert killed.wait(LIMIT) == 137
    assert as_root(["scontrol", "resume", str(jobs[suspended.id])]).returncode == 0
    for box in (requeued, suspended):
        runtime.ok("start", box.id)
        assert box.wait(LIMIT) == 4
    for box in (requeued, suspended, killed):
        runtime.ok("delete", box.id)
        forget(runtime, box)
        nothing_left(runtime, box.id, jobs[box.id])


SLOW = """
function slurm_scrun_stage_in(...) return slurm.SUCCESS end
function slurm_scrun_stage_out(...)
  slurm.allocator_command("while [ ! -e @/over ]; do sleep 0.1; done")
  return slurm.SUCCESS
end
return slurm.SUCCESS
"""


def test_the_time_limit(runtime: Runtime, chaos: Chaos) -> None:
    """Reached by a container that nobody starts: it ends. Reached while staging out: that goes on."""
    if not chaos.complete:
        pytest.skip("takes up to two minutes; with ROUNDS only")
    site = scripted(runtime, SLOW.replace("@", str(runtime.directory)))
    limit = {"scrun.time": "1"}
    created = runtime.box("/bin/true", annotations=limit)
    out = runtime.running("/bin/sh", "-c", "exit 7", annotations=limit, environ=site)
    job = out.job()
    assert created.wait(120) == 137
    assert created.annotations()["scrun.end"] == "time-limit"
    runtime.wait_until(lambda: runtime.job_state(job) == "TIMEOUT", LIMIT)
    assert os.path.exists(f"/proc/{out.anchor}")
    assert out.state()["status"] == "running"
    assert runtime.runner(["touch", f"{runtime.directory}/over"]).returncode == 0
    assert out.wait(LIMIT) == 7
    for box in (created, out):
        runtime.ok("delete", box.id)
        forget(runtime, box)
        nothing_left(runtime, box.id, 0)
    chaos.figures["cases"] += 2


def test_a_suspended_job_goes_on_or_ends(runtime: Runtime, as_root: Any) -> None:
    """A signal waits for the end of the pause, as in any stopped process; KILL and SIGINT end it in the pause, too."""

    def suspended(name: str) -> Box:
        box = runtime.running("/bin/sh", "-c", GOT, id=name)
        assert read_line(box) == "ready"
        done = as_root(["scontrol", "suspend", str(box.job())])
        assert done.returncode == 0, done.stderr
        runtime.wait_until(lambda: runtime.job_state(box.job()) == "SUSPENDED")
        assert box.state()["status"] == "running"
        return box

    goes_on, killed, cancelled = (suspended(name) for name in ("goes-on", "killed", "cancelled"))
    jobs = {box.id: box.job() for box in (goes_on, killed, cancelled)}
    runtime.ok("kill", killed.id, "KILL")
    interrupt_twice(cancelled)
    runtime.ok("kill", goes_on.id, "USR1")
    assert as_root(["scontrol", "resume", str(goes_on.job())]).returncode == 0
    assert read_line(goes_on) == "got"
    assert (killed.wait(LIMIT), cancelled.wait(LIMIT)) == (137, 137)
    runtime.ok("kill", goes_on.id, "KILL")
    assert goes_on.wait(LIMIT) == 137
    assert read(goes_on) == ""
    for box in (goes_on, killed, cancelled):
        runtime.ok("delete", box.id)
        forget(runtime, box)
        nothing_left(runtime, box.id, jobs[box.id])


FORMATS = ("USR2@80", "SIGUSR2@80", "12@80", "R:USR2@80", "USR2")
"""What srun(1) says of ``--signal``; without a time it is a minute."""


def test_the_warning_before_the_time_limit(runtime: Runtime, chaos: Chaos) -> None:
    """SCRUN_SIGNAL: Slurm sends the signal so many seconds before the limit, and the program may end in peace.

    Slurm looks every 30 s whom to warn, and warns up to 30 s too early (job_time_limit in slurmctld); whoever is not
    there yet is never warned. So with a limit of two minutes it comes after 10 s at the earliest, 60 s at the latest.
    """
    if not chaos.complete:
        pytest.skip("takes up to a minute; with ROUNDS only")
    script = "trap 'echo warned; exit 9' USR2; while :; do sleep 0.2; done"

    def run(form: str) -> None:
        name = f"warned-{FORMATS.index(form)}"
        box = runtime.running("/bin/sh", "-c", script, id=name, environ={"SCRUN_SIGNAL": form, "SCRUN_TIMELIMIT": "2"})
        assert box.wait(100) == 9
        assert read(box, "out") == "warned\n"
        assert box.annotations()["scrun.end"] == "exited"
        chaos.figures["cases"] += 1

    in_parallel(FORMATS, run)
