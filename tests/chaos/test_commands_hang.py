"""One of Slurm's commands hangs, for whatever reason: a first one in PATH that does."""

from __future__ import annotations

import os
import secrets
import signal
from typing import TYPE_CHECKING, Any

import pytest

from .ordeal import echo, forget, nothing_left, read
from .sabotage import Start, idle, pass_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Box, Runtime

    from .conftest import Chaos

pytestmark = pytest.mark.timeout(300)


class Hanging:
    """A directory with commands that hang until it is mended."""

    def __init__(self, runtime: Runtime, *names: str) -> None:
        self._runtime = runtime
        self._directory = runtime.directory / "hanging"
        script = r"""mkdir "$1"; cd "$1"; shift
            for name; do printf "#!/bin/sh\nexec sleep 1000\n" >$name; chmod 755 $name; done"""
        assert runtime.runner(["/bin/sh", "-c", script, "sh", str(self._directory), *names]).returncode == 0
        path = runtime.runner(["printenv", "PATH"]).stdout.strip()
        self.environ = {"PATH": f"{self._directory}:{path}"}

    def mend(self) -> None:
        assert self._runtime.runner(["rm", "-r", str(self._directory)]).returncode == 0


def gone(runtime: Runtime, box: Box, job: int) -> None:
    assert runtime("delete", box.id).returncode == 0
    forget(runtime, box)
    nothing_left(runtime, box.id, job, 40)


@pytest.fixture
def filled(as_user: Any) -> Iterator[None]:
    """node3 is taken."""
    name = f"filler-{secrets.token_hex(4)}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={name}", "--nodelist=node3", "--cpus-per-task=16"]
    assert as_user(words, timeout=90).returncode == 0
    yield
    as_user(["scancel", f"--name={name}"])


@pytest.mark.usefixtures("filled")
def test_squeue(runtime: Runtime, chaos: Chaos) -> None:
    hanging = Hanging(runtime, "squeue")
    runs = echo(runtime, "runs", environ=hanging.environ)
    site = runtime.site("[scrun]\ncreate_wait = 1\n")
    waits = {"scrun.nodelist": "node3", "scrun.cpus-per-task": "16"}
    queued = runtime.box("/bin/true", id="queued", annotations=waits, environ=site | hanging.environ)
    jobs = {box: box.job() for box in (runs, queued)}
    with idle([runs.anchor, queued.anchor]):
        assert queued.annotations()["scrun.job-state"] == "PENDING"
        # Nobody can say whether Slurm has killed it.
        chaos.kill(runtime, runs)
        assert runs.wait() == 137
        pass_time(35 if chaos.complete else 1)
    for box, job in jobs.items():
        gone(runtime, box, job)
    chaos.figures["cases"] += len(jobs)


def test_scancel(runtime: Runtime, chaos: Chaos) -> None:
    hanging = Hanging(runtime, "scancel")
    killed, ends = (echo(runtime, name, environ=hanging.environ) for name in ("killed", "ends"))
    jobs = {box: box.job() for box in (killed, ends)}
    with idle([killed.anchor, ends.anchor]):
        assert runtime("kill", ends.id, "USR1").returncode == 0
        chaos.kill(runtime, killed)
        assert killed.wait() == 137
        ends.close_stdin()
        assert (read(ends), ends.wait()) == ("bye\n", 42)
        pass_time(20 if chaos.complete else 1)
    # The guard goes on asking: a hung scancel gets 15 s.
    hanging.mend()
    runtime.wait_until(lambda: runtime.released(jobs[killed]), 40)
    for box, job in jobs.items():
        gone(runtime, box, job)
    chaos.figures["cases"] += len(jobs)


def test_sstat(runtime: Runtime, chaos: Chaos) -> None:
    """``events`` does not wait for ever."""
    if not chaos.complete:
        pytest.skip("takes 15 s; with ROUNDS only")
    box = echo(runtime, "measured", environ=Hanging(runtime, "sstat").environ)
    assert runtime.fails("events", "--stats", box.id).startswith(f"Slurm says nothing about step {box.job()}.0")
    box.close_stdin()
    assert box.wait() == 42
    chaos.figures["cases"] += 1


def test_srun(runtime: Runtime, chaos: Chaos) -> None:
    hanging = Hanging(runtime, "srun")
    boxes = [runtime.box("/bin/true", id=name, environ=hanging.environ) for name in ("cancelled", "killed")]
    jobs = {box: box.job() for box in boxes}
    cancelled, killed = boxes
    with Start(runtime, cancelled) as one, Start(runtime, killed) as other:
        with idle([box.anchor for box in boxes]):
            for box in boxes:
                state = runtime.root / box.id / "state.json"
                runtime.wait_until(lambda state=state: '"phase": "launching"' in state.read_text(), 10)
            os.kill(cancelled.anchor, signal.SIGINT)
            assert cancelled.wait() == 130
            chaos.kill(runtime, killed)
            assert killed.wait() == 137
        assert one.result(20)[0] == other.result(20)[0] == 1
    for box, job in jobs.items():
        gone(runtime, box, job)
    chaos.figures["cases"] += len(jobs)


def test_salloc(runtime: Runtime, chaos: Chaos) -> None:
    hanging = Hanging(runtime, "salloc")
    box = runtime.begin("/bin/true", id="new", environ=hanging.environ)
    if not chaos.complete:
        # Not a minute and a half: create is told to stop.
        runtime.wait_until(lambda: runtime.pid_file(box.id).exists(), 20)
        runtime.creating[box.id].send_signal(signal.SIGINT)
    assert runtime.creating[box.id].wait(timeout=150) != 0
    if chaos.complete:
        assert "did not answer the request for a job" in read(box)
    forget(runtime, box)
    nothing_left(runtime, box.id, 0)
    chaos.figures["cases"] += 1
