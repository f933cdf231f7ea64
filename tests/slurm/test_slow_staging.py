"""An image that takes long to stage: ``create`` returns in time, ``start`` waits, and every way out is open."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.staging.images import worker
from tests.conftest import alive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.slurm.runtime import Box, Runtime

DIRECTORIES = 8_000
"""So many take long enough for those who copy to be met at work."""
SCRIPT = """
function slurm_scrun_stage_in(id, bundle, ...)
  local status, output = slurm.allocator_command("while [ ! -e %(gate)s ]; do sleep 0.05; done; cat %(gate)s")
  if output ~= "" then error(output) end
  return slurm.SUCCESS
end
function slurm_scrun_stage_out(...) return slurm.SUCCESS end
return slurm.SUCCESS
"""


class Slow:
    """A container whose ``create`` has returned while its staging goes on; ``goes_on`` lets that come to its end."""

    def __init__(self, runtime: Runtime, box: Box, goes_on: Callable[[str], None]) -> None:
        self.runtime = runtime
        self.box = box
        self.goes_on = goes_on

    @property
    def phase(self) -> str:
        phase: str = self.box.state()["scrun"]["phase"]
        return phase

    def start(self) -> subprocess.Popen[bytes]:
        """``scrun start``, which waits; it is known to."""
        words = ["scrun", "--root", str(self.runtime.root), "start", self.box.id]
        process = self.runtime.runner.start(words, stderr=subprocess.PIPE)
        runtime, box = self.runtime, self.box
        runtime.wait_until(lambda: "start-requested" in runtime("console", box.id, "journal").stdout)
        return process


def scripted(runtime: Runtime) -> Iterator[Slow]:
    """scrun.lua waits for a file; it fails with what is in it."""
    gate = runtime.directory / "gate"
    site = runtime.site("[scrun]\ncreate_wait = 0.2\n")
    script = SCRIPT % {"gate": gate}
    assert runtime.runner(["tee", str(runtime.directory / "site/scrun.lua")], script).returncode == 0
    box = runtime.box("/bin/sh", "-c", "echo ran; exit 6", environ=site)

    def goes_on(failure: str) -> None:
        move = f'printf %s "$1" >{gate}.new && mv {gate}.new {gate}'
        assert runtime.runner(["sh", "-c", move, "sh", failure]).returncode == 0

    yield Slow(runtime, box, goes_on)


def built_in(runtime: Runtime) -> Iterator[Slow]:
    """A process that copies is stopped at its work; for it to fail it is ended."""
    rootfs = runtime.directory / "big"
    # The last one has a name of its own, so that the tree is like none that was imported before.
    fill = 'cp -a "${1%/*}/rootfs" "$1" && mkdir "$1/many" && cd "$1/many" && seq "$2" | xargs mkdir && mkdir "of $$"'
    assert runtime.runner(["sh", "-c", fill, "sh", str(rootfs), str(DIRECTORIES)]).returncode == 0
    site = runtime.site('[scrun]\ncreate_wait = 0.2\n[staging]\nmode = "copy"\n')
    config = {"root": {"path": str(rootfs), "readonly": True}}
    box = runtime.begin("/bin/sh", "-c", "echo ran; exit 6", environ=site, config=config)
    copier = runtime.wait_until(lambda: copiers(str(rootfs)), 60)[0]
    os.kill(copier, signal.SIGSTOP)
    try:
        assert runtime.creating[box.id].wait(60) == 0, box.read("err")
        box.anchor = int(runtime.pid_file(box.id).read_text())

        def goes_on(failure: str) -> None:
            os.kill(copier, signal.SIGTERM if failure else signal.SIGCONT)
            os.kill(copier, signal.SIGCONT)

        yield Slow(runtime, box, goes_on)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(copier, signal.SIGCONT)


def copiers(source: str) -> list[int]:
    """The processes that copy it: each is told both trees, and begins with some of the many directories."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            if worker.PROGRAM.encode() in words and source.encode() in words:
                found.append(int(entry.name))
    return found


@pytest.fixture(params=[scripted, built_in])
def slow(request: pytest.FixtureRequest, runtime: Runtime) -> Iterator[Slow]:
    yield from request.param(runtime)


def test_create_returns_and_start_waits(slow: Slow) -> None:
    state = slow.box.state()
    assert (state["status"], state["scrun"]["phase"]) == ("created", "staging in")
    with slow.start() as process:
        assert process.poll() is None
        slow.goes_on("")
        assert process.wait(timeout=60) == 0
        assert process.stderr
        assert process.stderr.read() == b""
    assert slow.box.wait() == 6
    assert slow.box.read() == "ran\n"


@pytest.mark.parametrize("started", [True, False])
def test_a_staging_that_fails_later_fails_the_start(runtime: Runtime, slow: Slow, started: bool) -> None:
    job = slow.box.job()
    process = slow.start() if started else None
    slow.goes_on("no such shelf")
    assert slow.box.wait() == 125
    sentence = slow.box.annotations()["scrun.end-reason"]
    assert slow.box.annotations()["scrun.end"] == "staging-failed"
    if process is None:
        said = runtime.fails("start", slow.box.id)
    else:
        with process:
            assert process.wait(timeout=60) == 1
            assert process.stderr
            said = process.stderr.read().decode().rstrip("\n").removeprefix("scrun: ")
    assert said == sentence
    assert ("no such shelf" in said) or ("was ended by another one" in said)
    runtime.wait_until(lambda: runtime.released(job))
    runtime.ok("delete", slow.box.id)
    runtime.wait_until(lambda: not runtime.left(slow.box.id))


@pytest.mark.parametrize("started", [True, False])
@pytest.mark.parametrize("way", ["TERM", "KILL", "SIGINT", "delete"])
def test_it_is_ended_while_it_stages(runtime: Runtime, slow: Slow, way: str, started: bool) -> None:
    job = slow.box.job()
    process = slow.start() if started else None
    if way == "SIGINT":
        os.kill(slow.box.anchor, signal.SIGINT)
    elif way == "delete":
        runtime.ok("delete", "--force", slow.box.id)
    else:
        runtime.ok("kill", slow.box.id, way)
    assert slow.box.wait() == {"TERM": 143, "KILL": 137, "SIGINT": 130, "delete": 137}[way]
    if process is not None:
        with process:
            assert process.wait(timeout=60) == 1
    if way != "delete":
        runtime.ok("delete", slow.box.id)
    runtime.wait_until(lambda: runtime.released(job))
    runtime.wait_until(lambda: not runtime.left(slow.box.id))
    assert not alive(slow.box.anchor)
    assert slow.box.read() == ""
