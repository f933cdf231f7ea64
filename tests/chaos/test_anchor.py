"""The anchor's death ends the container: nothing is left, and nobody is told a lie about it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from proto.life import events as e
from proto.life import journal
from tests.conftest import alive

from .ordeal import ECHO, forget, in_parallel, nothing_left, read_line, staging_of, told
from .witness import EVENTS, Witness, find

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

LIMIT = 10.0
UNTIL_RUNNING = EVENTS[: EVENTS.index("signal-requested") + 1]


def go_as_far_as_possible(runtime: Runtime, box: Box, witness: Witness) -> list[int]:
    """Exit codes of what an engine calls: create, start, kill; standard input ends."""
    codes = [runtime.creating[box.id].wait(timeout=60)]
    if codes == [0]:
        codes.append(runtime("start", box.id).returncode)
    if codes == [0, 0]:
        codes.append(runtime("kill", box.id, "USR1").returncode)
        box.close_stdin()
    box.anchor = witness.anchor()
    return codes


def jobs_of(runtime: Runtime, cookie: str) -> list[str]:
    """Living jobs with a container's cookie."""
    done = runtime.runner(["squeue", "-h", "-o", "%i %k"])
    return [line.split()[0] for line in done.stdout.splitlines() if cookie and cookie in line]


def cookie_of(witness: Witness) -> str:
    first = witness.events[0] if witness.events else None
    return first.creation.cookie if isinstance(first, e.CreateBegun) else ""


def over(runtime: Runtime, name: str, cookie: str) -> list[str]:
    """What there must not be any more, although ``delete`` was not called."""
    found = [item for item in runtime.left(name) if item.startswith("process")]
    found += [f"job {job}" for job in jobs_of(runtime, cookie)]
    if staging_of(name):
        found.append("staging directory")
    return found


def check_over(runtime: Runtime, name: str, cookie: str) -> None:
    try:
        runtime.wait_until(lambda: not over(runtime, name, cookie), LIMIT, interval=0.1)
    except pytest.fail.Exception:
        pytest.fail(f"left: {over(runtime, name, cookie)}")


@pytest.mark.parametrize("both", [False, True], ids=["anchor", "anchor and guard"])
@pytest.mark.parametrize("answered", [False, True], ids=["before", "after"])
def test_killed_at_each_event(runtime: Runtime, chaos: Chaos, both: bool, answered: bool) -> None:
    middle = EVENTS.index("start-requested")

    def run(event: str, number: int) -> None:
        name = f"{event}-{number}"
        struck: list[int] = []

        def on_event(witness: Witness, word: str) -> None:
            if word != event or struck:
                return
            anchor = witness.anchor()
            struck.append(anchor)
            # The last events come so close to the end that there may be nobody left to strike.
            with contextlib.suppress(ProcessLookupError):
                if both:
                    # A stopped anchor does not see its guard die.
                    os.kill(anchor, signal.SIGSTOP)
                    if guard := find(anchor, "guard"):
                        os.kill(guard, signal.SIGKILL)
                os.kill(anchor, signal.SIGKILL)

        with Witness(runtime, name, on_event) as witness:
            box = runtime.begin("/bin/sh", "-c", ECHO, id=name, stdin=True)
            try:
                codes = go_as_far_as_possible(runtime, box, witness)
                if event not in UNTIL_RUNNING and codes != [0, 0, 0]:
                    assert codes[:2] == [0, 0], codes
                assert died(runtime, box)
                cookie = cookie_of(witness)
                if both:
                    assert runtime("delete", "--force", name).returncode == 0
                check_over(runtime, name, cookie)
                if not both:
                    told_the_truth(runtime, box, codes[0] == 0)
                witness._read()
                assert [type(event).__name__ for event in witness.events].count("JobGranted") <= 1
            except BaseException as error:
                error.add_note(f"{struck} {told(runtime, name, witness)}")
                raise
        forget(runtime, box)
        nothing_left(runtime, name, 0)
        chaos.figures["cases"] += 1
        chaos.figures["kills"] += 1 + both

    in_parallel(
        list(enumerate(chaos.some(EVENTS[middle:-1] if answered else EVENTS[:middle], 4))),
        lambda case: run(case[1], case[0]),
    )


def died(runtime: Runtime, box: Box) -> bool:
    """Whether the anchor was killed, perhaps reaped by a failed ``create``; it may have been a little faster."""
    try:
        code = box.wait(LIMIT)
    except ChildProcessError:
        return runtime.creating[box.id].returncode != 0
    return code in {-signal.SIGKILL, 42}


def told_the_truth(runtime: Runtime, box: Box, created: bool) -> None:
    if not created:
        runtime.wait_until(lambda: not (runtime.root / box.id).exists(), LIMIT, what="no directory after create")
        assert runtime("state", box.id).returncode == 1
        return
    state = box.state()
    assert (state["status"], state["pid"]) == ("stopped", 0)
    events = [record.event for record in journal.read(str(runtime.root / box.id / "journal"))]
    assert isinstance(events[-1], e.Finished), events[-1]
    assert state["annotations"]["scrun.end-reason"] or state["annotations"]["scrun.exit-code"] == "42"
    assert runtime("start", box.id).returncode == 1
    assert runtime("kill", box.id, "TERM").returncode == 1
    assert runtime("delete", box.id).returncode == 0


def test_what_was_changed_outlives_the_anchor(runtime: Runtime, chaos: Chaos) -> None:
    """The guard has the job until the node has given it."""
    rootfs = runtime.directory / "rootfs"
    script = "echo x >/file; echo ready >&2; while :; do sleep 0.1; done"
    box = runtime.running("/bin/sh", "-c", script, config={"root": {"path": str(rootfs), "readonly": False}})
    assert read_line(box) == "ready"
    job = box.job()
    os.kill(box.anchor, signal.SIGKILL)
    box.wait()
    assert runtime("delete", box.id).returncode == 0  # it waits for the guard
    assert (rootfs / "file").read_text() == "x\n"
    nothing_left(runtime, box.id, job)
    chaos.figures["kills"] += 1


def test_a_guard_that_is_killed_while_it_clears_up(runtime: Runtime, chaos: Chaos) -> None:
    """What it has not done is done by ``delete``."""

    def run(number: int) -> None:
        name = f"twice-{number}"
        with Witness(runtime, name, lambda *_: None) as witness:
            box = runtime.running("/bin/sh", "-c", ECHO, id=name, stdin=True)
            assert read_line(box) == "ready"
            guard = find(box.anchor, "guard")
            os.kill(box.anchor, signal.SIGKILL)
            words = len(witness.words) + number
            runtime.wait_until(lambda: len(witness.words) >= words or not alive(guard))
            if alive(guard):
                os.kill(guard, signal.SIGKILL)
            box.wait()
            assert runtime("delete", "--force", name).returncode == 0
            check_over(runtime, name, cookie_of(witness))
        forget(runtime, box)
        nothing_left(runtime, name, 0)
        chaos.figures["cases"] += 1
        chaos.figures["kills"] += 2

    in_parallel(range(6 if chaos.complete else 2), run)


@pytest.mark.parametrize("event", ["nothing yet", *EVENTS[: EVENTS.index("create-answered")]])
def test_create_killed(runtime: Runtime, chaos: Chaos, event: str) -> None:
    name = "half"
    killed: list[int] = []

    def on_event(witness: Witness, word: str) -> None:
        if word == event:
            runtime.creating[name].kill()
            killed.append(1)

    with Witness(runtime, name, on_event) as witness:
        box = runtime.begin("/bin/sh", "-c", ECHO, id=name, stdin=True)
        process = runtime.creating[name]
        if event == "nothing yet":
            runtime.wait_until((runtime.root / name).exists, interval=0.001)
            process.kill()
        process.wait(timeout=30)
        # It may have done all before its death.
        if process.returncode != 0:
            check_over(runtime, name, cookie_of(witness))
        runtime("delete", "--force", name)
        check_over(runtime, name, cookie_of(witness))
        anchor = witness.anchor(0.1)
        runtime.wait_until(lambda: not alive(anchor))
    forget(runtime, box)
    nothing_left(runtime, name, 0)
    chaos.figures["cases"] += 1
    chaos.figures["kills"] += 1


@pytest.mark.parametrize("event", ["nothing yet", *(event for event in EVENTS if not event.startswith("signal-"))])
def test_run_killed(runtime: Runtime, chaos: Chaos, event: str) -> None:
    """Before its program runs nothing is left of it; a program that runs goes on, as with runc."""
    name = "alone"
    running: list[subprocess.Popen[bytes]] = []

    def on_event(_: Witness, word: str) -> None:
        if word == event and running:
            running[0].kill()

    runtime.ids.append(name)
    bundle = str(runtime.bundle("/bin/sh", "-c", "sleep 1; exit 42"))
    with Witness(runtime, name, on_event) as witness:
        null = subprocess.DEVNULL
        running.append(runtime.runner.start(runtime.words("run", "--bundle", bundle, name), stdout=null, stderr=null))
        if event == "nothing yet":
            runtime.wait_until((runtime.root / name).exists, interval=0.001)
            running[0].kill()
        code = running[0].wait(timeout=30)
        assert code == -signal.SIGKILL or event in EVENTS[EVENTS.index("step-ended") :], code
        check_over(runtime, name, cookie_of(witness))
        assert runtime("delete", "--force", name).returncode == 0
    nothing_left(runtime, name, 0)
    chaos.figures["cases"] += 1
    chaos.figures["kills"] += 1


@pytest.mark.parametrize("event", ["start-requested", "launch-requested", "step-started"])
def test_start_killed(runtime: Runtime, chaos: Chaos, event: str) -> None:
    """The program runs all the same, and ``state`` says so."""
    name = "half"

    def on_event(_: Witness, word: str) -> None:
        if word == event and starting:
            starting[0].kill()

    with Witness(runtime, name, on_event) as witness:
        box = runtime.box("/bin/sh", "-c", ECHO, id=name, stdin=True)
        starting = []
        process = runtime.runner.start(runtime.words("start", name))
        starting.append(process)
        if event in witness.words:
            process.kill()
        process.wait(timeout=30)
        assert read_line(box) == "ready"
        # The program may speak before srun says that it runs.
        runtime.wait_until(lambda: box.state()["status"] == "running", what="the news of the start")
        runtime.ok("kill", name, "USR1")
        assert read_line(box) == "got"
        box.close_stdin()
        assert box.wait() == 42
        runtime.ok("delete", name)
        check_over(runtime, name, cookie_of(witness))
    forget(runtime, box)
    nothing_left(runtime, name, 0)
    chaos.figures["cases"] += 1
    chaos.figures["kills"] += 1


@pytest.mark.parametrize("event", ["cancel-requested", "step-ended", "staged-out", "job-released", "finished"])
def test_delete_killed(runtime: Runtime, chaos: Chaos, event: str) -> None:
    name = "half"
    deleting: list[subprocess.Popen[bytes]] = []

    def on_event(_: Witness, word: str) -> None:
        if word == event:
            for process in deleting:
                process.kill()

    with Witness(runtime, name, on_event) as witness:
        box = runtime.running("/bin/sh", "-c", ECHO, id=name, stdin=True)
        deleting.append(runtime.runner.start(runtime.words("delete", "--force", name)))
        deleting[0].wait(timeout=30)
        box.wait(LIMIT)
        check_over(runtime, name, cookie_of(witness))
        assert runtime("delete", "--force", name).returncode == 0
        # What a killed delete had renamed goes with the next create.
        runtime.box("/bin/true", id="next")
        assert runtime.names() == ["next"]
    forget(runtime, box)
    chaos.figures["cases"] += 1
    chaos.figures["kills"] += 1
