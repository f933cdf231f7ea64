"""A full cluster: ``create`` returns, the container waits in the queue, and can be ended there."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import alive, all_pids, read_proc, state_and_parent

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.runtime import Box, Runtime

NODE = "node3"
TOMORROW = {"scrun.begin": "now+1day"}
WAITS = {"scrun.nodelist": NODE, "scrun.cpus-per-task": "16"}


@pytest.fixture
def queued(runtime: Runtime, filled: Callable[[], None]) -> Box:
    """A container that is created and whose job is queued."""
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    box = runtime.box("/bin/sh", "-c", "echo ran; exit 6", annotations=WAITS, environ=site)
    state = box.state()
    assert state["status"] == "created"
    assert state["annotations"]["scrun.job-state"] == "PENDING"
    assert runtime.job_state(box.job()) == "PENDING"
    return box


def starting(runtime: Runtime, box: Box) -> subprocess.Popen[bytes]:
    """``scrun start``, which waits for the job."""
    process = runtime.runner.start(["scrun", "--root", str(runtime.root), "start", box.id], stderr=subprocess.PIPE)
    # The request is in the journal: it is known to be waiting.
    runtime.wait_until(lambda: "start-requested" in runtime("console", box.id, "journal").stdout)
    return process


def test_point_03_create_does_not_wait_for_a_full_cluster(queued: Box) -> None:
    assert not queued.ended()


def test_why_it_waits_is_shown(runtime: Runtime, queued: Box) -> None:
    runtime.wait_until(lambda: "Resources" in queued.annotations().get("scrun.job-reason", ""), 10)


def test_the_console_tells_what_slurm_says_of_it(runtime: Runtime, queued: Box) -> None:
    def told() -> dict[str, str]:
        rows = json.loads(runtime("console", queued.id, "job", "--format=json").stdout)
        return {row["field"]: row["value"] for row in rows}

    runtime.wait_until(lambda: told().get("reason") == "Resources", 10)
    assert (told()["job"], told()["state"]) == (str(queued.job()), "PENDING")
    assert "priority" in told()


def test_it_starts_when_there_is_room(runtime: Runtime, queued: Box, filled: Callable[[], None]) -> None:
    with starting(runtime, queued) as process:
        assert process.poll() is None
        filled()
        assert process.wait(timeout=60) == 0
        assert process.stderr
        assert process.stderr.read() == b""
    assert queued.wait() == 6
    assert queued.read() == "ran\n"
    assert queued.annotations()["scrun.nodes"] == NODE


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("way", ["TERM", "KILL", "SIGINT", "delete"])
def test_it_is_cancelled_while_it_waits(runtime: Runtime, queued: Box, way: str, started: bool) -> None:
    job = queued.job()
    process = starting(runtime, queued) if started else None
    if way == "SIGINT":
        os.kill(queued.anchor, signal.SIGINT)
    elif way == "delete":
        runtime.ok("delete", "--force", queued.id)
    else:
        runtime.ok("kill", queued.id, way)
    code = queued.wait(10)
    assert code == {"TERM": 143, "KILL": 137, "SIGINT": 130, "delete": 137}[way]
    runtime.wait_until(lambda: runtime.released(job), 10)
    if process is not None:
        with process:
            assert process.wait(timeout=20) == 1
            assert process.stderr
            assert process.stderr.read().count(b"\n") == 1
    assert queued.read() == ""
    if way != "delete":
        assert queued.state()["status"] == "stopped"
        runtime.ok("delete", queued.id)
    runtime.wait_until(lambda: not runtime.left(queued.id), 10, what=f"{runtime.left(queued.id)}")


def test_scancel_while_it_waits(runtime: Runtime, queued: Box, as_user: Any) -> None:
    as_user(["scancel", str(queued.job())])
    assert queued.wait(20) != 0
    annotations = queued.annotations()
    assert annotations["scrun.end"] == "cancelled"
    assert "cancelled" in annotations["scrun.end-reason"]


def test_scrun_run_is_killed_while_it_waits(runtime: Runtime) -> None:
    words = runtime.words("run", "--bundle", str(runtime.bundle("/bin/true", annotations=TOMORROW)), "x")
    for moment in ("job-queued", "start-requested"):
        process = runtime.runner.start(words)
        runtime.wait_until(lambda: moment in runtime("console", "x", "journal").stdout)  # noqa: B023 - called at once
        job = int(json.loads(runtime("state", "x").stdout)["annotations"]["scrun.job-id"])
        process.kill()
        process.wait()
        runtime.log.unlink(missing_ok=True)
        runtime.wait_until(lambda: runtime.released(job), what="the end of the job")  # noqa: B023 - called at once
        runtime.ok("delete", "--force", "x")
        assert runtime.left("x") == []


def test_no_command_outlives_the_anchor(queued: Box) -> None:
    """Not even one that is as slow to die as where hundreds of processes want to run."""
    children = [pid for pid in all_pids() if state_and_parent(pid)[1] == queued.anchor]
    [salloc] = [pid for pid in children if read_proc(pid, "comm") == b"salloc\n"]
    cpu = {min(os.sched_getaffinity(0))}
    busy = [subprocess.Popen(["/bin/sh", "-c", "while :; do :; done"]) for _ in range(6)]
    try:
        for pid in (salloc, *(process.pid for process in busy)):
            os.sched_setaffinity(pid, cpu)
        os.setpriority(os.PRIO_PROCESS, salloc, 19)
        os.kill(queued.anchor, signal.SIGINT)
        queued.wait(20)
        assert not alive(salloc)
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_who_creates_by_hand_may_leave(runtime: Runtime) -> None:
    """The shell from which ``create`` was called has gone, and so has that of ``start``: the container waits."""
    runtime.ids.append("x")
    create = runtime.words("create", "--bundle", str(runtime.bundle("/bin/true", annotations=TOMORROW)), "x")
    start = runtime.words("start", "x")
    for words, moment in ((create, "create-answered"), (start, "start-requested")):
        line = f"{shlex.join(words)} >/dev/null 2>&1 & exit"
        assert runtime.runner(["sh", "-c", line]).returncode == 0
        runtime.wait_until(lambda: moment in runtime("console", "x", "journal").stdout)  # noqa: B023 - called at once
    job = int(json.loads(runtime("state", "x").stdout)["annotations"]["scrun.job-id"])
    assert runtime.job_state(job) == "PENDING"


def test_nobody_starts_it(runtime: Runtime, filled: Callable[[], None]) -> None:
    """podman that is killed while its container is queued never asks for it again: that must not last for ever."""
    del filled
    site = runtime.site("[scrun]\ncreate_wait = 1\nstart_limit = 3\n")
    started = runtime.box("/bin/sh", "-c", "read x; exit 7", id="started", stdin=True, environ=site)
    runtime.ok("start", started.id)
    boxes = [
        runtime.box("/bin/true", id="granted", environ=site),
        runtime.box("/bin/true", id="queued", annotations=WAITS, environ=site),
    ]
    jobs = [box.job() for box in boxes]
    for box, job in zip(boxes, jobs, strict=True):
        assert box.wait() == 137
        annotations = box.annotations()
        assert annotations["scrun.end"] == "cancelled"
        assert annotations["scrun.end-reason"] == "cancelled by scrun, since nobody has started it"
        runtime.wait_until(lambda: runtime.released(job))  # noqa: B023 - called at once
    started.close_stdin()
    assert started.wait() == 7
