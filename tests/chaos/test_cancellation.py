"""SIGINT to the anchor, once and twice, in every state; programs and scripts that ignore everything.

Each time the engine sees an exit status that is true, ``state`` says why, and nothing is left.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
import signal
from typing import TYPE_CHECKING, Any

import pytest

from .ordeal import ECHO, forget, in_parallel, nothing_left, read, read_line, told
from .witness import Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

LIMIT = 30.0
NODE = "node3"
QUEUED = {"scrun.nodelist": NODE, "scrun.cpus-per-task": "16"}
DEAF = "trap '' TERM INT HUP USR1 USR2 QUIT; echo ready >&2; while :; do sleep 0.2; done"
"""A program that no signal but KILL ends."""
POLITE = f"trap 'exit 143' TERM; {ECHO}"
EVENTS = (
    "created-by", "job-requested", "job-granted", "staged-in", "create-answered", "start-requested",
    "launch-requested", "step-started", "step-ended", "output-drained",
)  # fmt: skip
"""The events after each of which there is a SIGINT: from the request for the job to the stage-out."""
AFTER_THE_END = {"step-ended", "output-drained"}


@dataclasses.dataclass(frozen=True)
class Case:
    event: str
    times: int
    number: int

    @property
    def name(self) -> str:
        return f"{self.event}-{self.times}-{self.number}"


def test_SIGINT_at_each_event(runtime: Runtime, chaos: Chaos) -> None:
    pairs = [(event, times) for event in EVENTS for times in (1, 2)]
    cases = [Case(event, times, n) for n, (event, times) in enumerate(chaos.some(pairs, 8))]

    def run(case: Case) -> None:
        sent: list[int] = []

        def on_event(witness: Witness, word: str) -> None:
            if word == case.event and not sent:
                sent.append(witness.anchor())
                # Between two of them an ending container may have ended.
                with contextlib.suppress(ProcessLookupError):
                    for _ in range(case.times):
                        os.kill(sent[0], signal.SIGINT)

        with Witness(runtime, case.name, on_event) as witness:
            try:
                box = runtime.begin("/bin/sh", "-c", POLITE, id=case.name, stdin=True)
                created = runtime.creating[box.id].wait(timeout=LIMIT) == 0
                started = created and runtime("start", box.id).returncode == 0
                if started and case.event in AFTER_THE_END:
                    box.close_stdin()
                box.anchor = witness.anchor()
                # 130: it had not begun. 143, 137: how the program took SIGTERM or SIGKILL.
                own = started and case.event in AFTER_THE_END
                check_end(runtime, box, "SIGINT", {130, 137, 143}, created=created, own=own)
                job = job_of(witness)
                assert runtime("delete", "--force", box.id).returncode == 0
            except BaseException as error:
                error.add_note(told(runtime, case.name, witness))
                raise
        forget(runtime, box)
        nothing_left(runtime, case.name, job)
        chaos.figures["cases"] += 1
        chaos.figures["SIGINTs"] += case.times

    in_parallel(cases, run)


def job_of(witness: Witness) -> int:
    witness._read()
    return max((getattr(event, "job_id", 0) for event in witness.events), default=0)


def check_end(
    runtime: Runtime, box: Box, why: str, codes: set[int], *, created: bool, own: bool, refusal: str = ""
) -> None:
    """It was cancelled, and told so.

    Args:
        runtime: scrun.
        box: the container.
        why: a word of the reason that ``state`` gives.
        codes: the exit statuses that are true.
        created: whether ``create`` returned 0.
        own: whether the program had ended by itself.
        refusal: a word of what a failed ``create`` says, if it is not that of ``state``.

    """
    if not created:
        # The failed create has reaped its anchor, and says why.
        assert (refusal or why) in read(box)
        runtime.wait_until(lambda: not runtime.left(box.id), LIMIT)
        return
    code = box.wait(LIMIT)
    annotations = box.annotations()
    assert annotations["scrun.exit-code"] == str(code)
    if own:
        assert code == 42
        return
    assert code in codes, annotations
    assert annotations["scrun.end"] == "cancelled", annotations
    assert why in annotations["scrun.end-reason"]


@pytest.fixture
def filled(as_user: Any) -> Iterator[str]:
    """A node that is taken."""
    name = f"filler-{secrets.token_hex(4)}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={name}", f"--nodelist={NODE}", "--cpus-per-task=16"]
    assert as_user(words, timeout=90).returncode == 0
    yield NODE
    as_user(["scancel", f"--name={name}"])


def create_fails_by_SIGINT(runtime: Runtime, box: Box, anchor: int, job: int, times: int) -> None:
    for _ in range(times):
        os.kill(anchor, signal.SIGINT)
    assert runtime.creating[box.id].wait(timeout=LIMIT) == 1
    assert "SIGINT" in read(box)
    forget(runtime, box)
    nothing_left(runtime, box.id, job)


@pytest.mark.parametrize("times", [1, 2])
def test_SIGINT_while_queued_before_create_returns(runtime: Runtime, filled: str, times: int) -> None:
    box = runtime.begin("/bin/true", annotations=QUEUED)
    job = runtime.wait_until(box.job, LIMIT)
    anchor = int(box.state()["pid"])
    create_fails_by_SIGINT(runtime, box, anchor, job, times)


def test_scancel_in_the_queue(runtime: Runtime, filled: str) -> None:
    box = runtime.begin("/bin/true", annotations=QUEUED)
    job = runtime.wait_until(box.job, LIMIT)
    assert runtime.runner(["scancel", str(job)]).returncode == 0
    assert runtime.creating[box.id].wait(timeout=LIMIT) == 1
    assert "cancelled" in read(box)
    forget(runtime, box)
    nothing_left(runtime, box.id, job)


STUBBORN = """
function ignore()
  slurm.allocator_command("trap '' HUP INT TERM QUIT; (trap '' HUP INT TERM; (sleep 1000 & sleep 1000) & wait) & wait")
end
function slurm_scrun_stage_in(...) return slurm.SUCCESS end
function slurm_scrun_stage_out(...) return slurm.SUCCESS end
function slurm_scrun_stage_%s(...) ignore() return slurm.SUCCESS end
return slurm.SUCCESS
"""
"""A script that ignores everything, with grandchildren that do, when it stages in or out."""


def scripted(runtime: Runtime, script: str) -> dict[str, str]:
    """Environment of a site with this scrun.lua."""
    site = runtime.site("[scrun]\n")
    assert runtime.runner(["tee", str(runtime.directory / "site/scrun.lua")], script).returncode == 0
    return site


@pytest.mark.parametrize("times", [1, 2])
def test_SIGINT_while_a_stubborn_script_stages_in(runtime: Runtime, times: int) -> None:
    box = runtime.begin("/bin/true", environ=scripted(runtime, STUBBORN % "in"))
    runtime.wait_until(lambda: len(sleepers(runtime)) == 2, LIMIT, what="grandchildren")
    job, anchor = box.job(), int(box.state()["pid"])
    create_fails_by_SIGINT(runtime, box, anchor, job, times)
    assert not sleepers(runtime)


def test_a_stubborn_script_stages_out(runtime: Runtime, chaos: Chaos) -> None:
    """Once the end is demanded by force the engine need not wait, and the guard gives the script 20 s."""
    if not chaos.complete:
        pytest.skip("takes 20 s; with ROUNDS only")
    site = scripted(runtime, STUBBORN % "out")
    ways = {"SIGINT twice": 7, "kill KILL": 7, "delete": 7, "death of the anchor": -signal.SIGKILL}
    boxes = {way: runtime.running("/bin/sh", "-c", "exit 7", environ=site) for way in ways}
    runtime.wait_until(lambda: len(sleepers(runtime)) == 2 * len(ways), LIMIT, what="grandchildren")
    jobs = {way: box.job() for way, box in boxes.items()}

    def run(way: str) -> None:
        box = boxes[way]
        # Asked once and mildly, it goes on: what it brings back may be the results of weeks.
        os.kill(box.anchor, signal.SIGTERM)
        assert box.state()["status"] == "running"
        if way in WAYS:
            WAYS[way][0](runtime, box)
        else:
            runtime.ok("kill", box.id, "KILL")
            os.kill(box.anchor, signal.SIGKILL)
        assert box.wait(LIMIT) == ways[way]
        assert runtime("delete", "--force", box.id).returncode == 0
        forget(runtime, box)
        nothing_left(runtime, box.id, jobs[way])
        chaos.figures["cases"] += 1

    in_parallel(list(ways), run)
    assert not sleepers(runtime)


def sleepers(runtime: Runtime) -> list[str]:
    return runtime.runner(["pgrep", "-u", str(runtime.directory.stat().st_uid), "-fx", "sleep 1000"]).stdout.split()


def deaf(runtime: Runtime, name: str, **annotations: str) -> Box:
    given = {f"scrun.{key.replace('_', '-')}": value for key, value in annotations.items()}
    box = runtime.running("/bin/sh", "-c", DEAF, id=name, annotations=given)
    assert read_line(box) == "ready"
    return box


def interrupt_twice(box: Box) -> None:
    for _ in range(2):
        os.kill(box.anchor, signal.SIGINT)


WAYS: dict[str, tuple[Callable[[Runtime, Box], Any], set[str]]] = {
    "SIGINT": (lambda _, box: os.kill(box.anchor, signal.SIGINT), {"cancelled"}),
    "SIGINT twice": (lambda _, box: interrupt_twice(box), {"cancelled"}),
    "kill KILL": (lambda runtime, box: runtime("kill", box.id, "KILL"), {"signalled"}),
    "delete": (lambda runtime, box: runtime("delete", "--force", box.id), set()),
    "scancel": (lambda runtime, box: runtime.runner(["scancel", str(box.job())]), {"cancelled"}),
    "scancel KILL": (
        lambda runtime, box: runtime.runner(["scancel", "-s", "KILL", str(box.job())]),
        {"signalled", "cancelled"},
    ),
    "requeue": (lambda runtime, box: runtime.runner(["scontrol", "requeue", str(box.job())]), set()),
}
"""How a program that ignores SIGTERM is ended, and the word for it."""


def test_a_program_that_ignores_everything(runtime: Runtime, chaos: Chaos) -> None:
    def run(way: str) -> None:
        name = f"deaf-{secrets.token_hex(3)}"
        box = deaf(runtime, name)
        act, kind = WAYS[way]
        job = box.job()
        act(runtime, box)
        if way == "requeue":
            # An interactive job cannot be put back into the queue: Slurm says no, and nothing happens.
            assert box.state()["status"] == "running"
            runtime("kill", box.id, "KILL")
        assert box.wait(LIMIT) == 137
        if kind:
            annotations = box.annotations()
            assert annotations["scrun.end"] in kind, annotations
            assert annotations["scrun.end-reason"]
        assert runtime("delete", "--force", name).returncode == 0
        forget(runtime, box)
        nothing_left(runtime, name, job)
        chaos.figures["cases"] += 1

    in_parallel(chaos.some(list(WAYS), 4), run)
