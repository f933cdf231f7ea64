"""Cancellation through real engines: ``kill`` and ``stop``, signals to the engine's own processes, closed terminals.

Each time the engine tells the true exit status, ``ps`` and ``rm`` work, and nothing is left. What conmon and podman do
with crun, measured, is what is right where that is in doubt.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT, alive, wait_until
from tests.oci.screen import Screen

from .ordeal import in_parallel, staging
from .sabotage import CONF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.oci.podman import Filler, Podman

    from .conftest import Chaos

LIMIT = 30.0
LOOP = "echo ready; while :; do sleep 0.1; done"
POLITE = f"trap 'echo bye; exit 5' TERM INT HUP; {LOOP}"
DEAF = f"trap '' TERM INT HUP; {LOOP}"
QUEUED = ("--annotation", "scrun.nodelist=node3", "--annotation", "scrun.cpus-per-task=16")


class Life:
    """One container of an engine's, from its name to the proof that nothing is left of it."""

    def __init__(self, engine: Podman) -> None:
        self.engine = engine
        self.name = engine.name()
        self.id = ""
        self.job = 0
        self.anchor = 0

    def options(self, *more: str) -> list[str]:
        return ["--name", self.name, *self.engine.options, *more]

    def detached(self, script: str) -> Life:
        self.engine.ok("run", "--detach", *self.options("busybox", "sh", "-c", script))
        return self.known()

    def known(self) -> Life:
        """It has been created: remember what to look for later."""
        self.id = self.engine.id(self.name)
        self.job = self.engine.job(self.id)
        assert self.job
        return self

    def says(self, word: str = "ready") -> Life:
        wait_until(lambda: word in self.engine.ok("logs", self.name), LIMIT, what=f"{word} of {self.name}")
        return self

    def wait(self) -> int:
        return int(self.engine.ok("wait", self.name))

    def running(self) -> bool:
        return self.engine.status(self.name)[0] == "running"

    def ends(self, code: int) -> None:
        """The engine knows the exit status, and removes the container."""
        assert self.wait() == code
        assert f"Exited ({code})" in self.engine.ok("ps", "--all", "--filter", f"name={self.name}")
        self.engine.ok("rm", self.name)
        self.gone()

    def gone(self) -> None:
        assert not self.engine.exists(self.name)
        wait_until(lambda: not self.left(), 15, what=f"nothing left of {self.name}; {self.left()}")

    def left(self) -> list[str]:
        places = (staging(), pathlib.Path("/root/.scrun"))
        return [*self.engine.left(self.id, self.job), *(str(p) for place in places for p in place.glob(f"{self.id}~*"))]


ACTS = {
    "kill": (("kill",), 137, 137),
    "kill TERM": (("kill", "--signal", "TERM"), 5, None),
    "kill INT": (("kill", "--signal", "INT"), 5, None),
    "stop": (("stop", "--time", "1"), 5, 137),
}
"""The engine's words, and the exit status of a polite program and of a deaf one: None if it goes on."""


def test_kill_and_stop(engine: Podman, chaos: Chaos) -> None:
    pairs = [(act, script) for act in ACTS for script in (POLITE, DEAF)]
    cases = [(*pair, Life(engine)) for pair in chaos.some(pairs, 3)]

    def run(case: tuple[str, str, Life]) -> None:
        act, script, life = case
        words, polite, deaf = ACTS[act]
        life.detached(script).says()
        engine.ok(*words, life.name)
        code = polite if script == POLITE else deaf
        if code is None:
            assert life.running()
            engine.ok("kill", life.name)
            code = 137
        life.ends(code)
        chaos.figures["cases"] += 1

    in_parallel(cases, run)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_run(engine: Podman, signum: signal.Signals) -> None:
    """The engine's client hands it on (--sig-proxy); without a terminal Ctrl-C is SIGINT."""
    life = Life(engine)
    process = engine.start("run", *life.options("busybox", "sh", "-c", POLITE))
    wait_until(lambda: engine.exists(life.name) and life.running(), LIMIT)
    life.known().says()
    os.kill(process.pid, signum)
    assert process.wait(LIMIT) == 5
    life.ends(5)


@pytest.fixture
def screen(engine: Podman) -> Iterator[Screen]:
    made = Screen(engine, wait_until)
    yield made
    with contextlib.suppress(OSError):
        made.close()


def test_control_c(screen: Screen) -> None:
    """The byte goes to the program's own terminal, which makes a SIGINT of it."""
    life = Life(screen.engine)
    screen.run("run", "--interactive", "--tty", *life.options("busybox", "sh", "-c", POLITE))
    screen.expect("ready")
    life.known()

    def interrupted() -> bool:
        # docker's client throws away what was typed before it has made its terminal raw.
        if "bye" not in screen.read():
            screen.type("\x03")
        return "bye" in screen.read()

    wait_until(interrupted, LIMIT, interval=1.0)
    assert screen.exit_code() == 5
    life.ends(5)


def test_the_terminal_is_closed(screen: Screen) -> None:
    """podman hands the SIGHUP on; docker's client just ends, and the container is still there."""
    engine = screen.engine
    life = Life(engine)
    screen.run("run", "--interactive", "--tty", *life.options("busybox", "sh", "-c", POLITE))
    screen.expect("ready")
    life.known()
    screen.hang_up()
    if engine.command == "podman":
        life.ends(5)
    else:
        assert life.running()
        engine.ok("rm", "--force", life.name)
        life.gone()


CONMON = {signal.SIGTERM: True, signal.SIGINT: True, signal.SIGHUP: False, signal.SIGKILL: False}
"""Whether conmon hands a signal on. Of the others it dies, and the container, which runs on, is podman's to remove."""


def reap(pid: int) -> None:
    """A process without a parent is the test's, as it would be init's; podman waits until it is reaped."""
    wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0], LIMIT)


@pytest.mark.parametrize("state", ["running", "created"])
def test_a_signal_to_conmon(podman: Podman, chaos: Chaos, state: str) -> None:
    cases = [(signum, Life(podman)) for signum in chaos.some(list(CONMON), 2)]

    def run(case: tuple[signal.Signals, Life]) -> None:
        signum, life = case
        if state == "running":
            life.detached(POLITE).says()
        else:
            podman.ok("create", *life.options("busybox", "sh", "-c", POLITE))
            podman.ok("init", life.name)
            life.known()
        conmon, anchor = (int(podman.inspect(life.name, f".State.{what}")) for what in ("ConmonPid", "Pid"))
        os.kill(conmon, signum)
        reap(conmon)
        if CONMON[signum] and state == "running":
            life.ends(5)
        else:
            # What was handed to a program that was never started has ended it: podman has it as "created" again.
            assert alive(anchor) != CONMON[signum]
            removed = podman.start("rm", "--force", "--time", "0", life.name)
            if not CONMON[signum]:
                reap(anchor)
            assert removed.wait(LIMIT) == 0
            if state == "running" and not CONMON[signum]:
                # Without conmon podman calls no "delete"; crun keeps its record, too (measured).
                assert podman.state(life.id)["status"] == "stopped"
                assert podman.runner(["scrun", "delete", life.id]).returncode == 0
            life.gone()
        chaos.figures["cases"] += 1

    in_parallel(cases, run)


def test_podman_run_is_ended_in_the_queue(podman: Podman, filler: Filler, chaos: Chaos) -> None:
    """It waits until ``create`` returns, and leaves a container that ``rm`` takes out of the queue."""
    if not chaos.complete:
        pytest.skip("takes 20 s; with ROUNDS only")
    filler.fill("node3")

    def run(signum: signal.Signals) -> None:
        life = lives[signum]
        cidfile = directory / life.name
        process = podman.start("run", *life.options("--cidfile", str(cidfile), *QUEUED, "busybox", "true"))
        wait_until(lambda: cidfile.exists() and cidfile.read_text(), LIMIT)
        life.id = cidfile.read_text()
        life.job = wait_until(lambda: podman.job(life.id), LIMIT)
        os.kill(process.pid, signum)
        process.wait(60)
        assert podman.job_state(life.job) == "PENDING"
        podman.ok("rm", "--force", "--time", "0", life.name)
        life.gone()
        chaos.figures["cases"] += 1

    lives = {signum: Life(podman) for signum in (signal.SIGINT, signal.SIGTERM)}
    directory = pathlib.Path(podman.runner(["mktemp", "-d"]).stdout.strip())
    try:
        in_parallel(list(lives), run)
    finally:
        shutil.rmtree(directory)


@pytest.fixture
def held() -> Iterator[pathlib.Path]:
    """Staging out, by the site's script, lasts until this directory has a file ``go``."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="scrun-held-"))
    directory.chmod(0o1777)
    text = (CHECKOUT / "examples/scrun.lua").read_text()
    text = text.replace('os.getenv("SCRUN_EXAMPLE_SCRATCH") or "/scratch/scrun"', f'"{directory}"')
    body, end, _ = text.rpartition("return slurm.SUCCESS")
    script = CONF.with_name("scrun.lua")
    script.write_text(body + HOLD.replace("@", str(directory)) + end)
    yield directory
    script.unlink()
    shutil.rmtree(directory)


HOLD = """
local stage_out = slurm_scrun_stage_out
function slurm_scrun_stage_out(id, ...)
  slurm.allocator_command("touch @/" .. id .. "; while [ ! -e @/go ]; do sleep 0.1; done")
  return stage_out(id, ...)
end
"""
MILD: dict[str, Callable[[Life], object]] = {
    "kill TERM": lambda life: life.engine("kill", "--signal", "TERM", life.name),
    "SIGTERM to the anchor": lambda life: os.kill(life.anchor, signal.SIGTERM),
    "SIGINT to the anchor": lambda life: os.kill(life.anchor, signal.SIGINT),
    "scancel": lambda life: life.engine.runner(["scancel", str(life.job)]),
}
"""What does not end a stage-out."""


def test_mildly_while_it_stages_out(engine: Podman, held: pathlib.Path, chaos: Chaos) -> None:
    """The container is still running for the engine; all that is staged out is brought to its end."""
    cases = [(way, Life(engine)) for way in chaos.some(list(MILD), 2)]
    for _, life in cases:
        life.detached("exit 7")
        wait_until((held / life.id).exists, LIMIT)
        life.anchor = int(engine.inspect(life.name, ".State.Pid"))
    for way, life in cases:
        MILD[way](life)
        assert life.running()
    (held / "go").touch()
    for _, life in cases:
        life.ends(7)
        chaos.figures["cases"] += 1


FORCE = {"kill": ("kill",), "stop": ("stop", "--time", "1"), "rm": ("rm", "--force")}


def test_by_force_while_it_stages_out(engine: Podman, held: pathlib.Path, chaos: Chaos) -> None:
    """The engine has the program's exit status before it loses patience; 20 s later staging out is cut off."""
    if not chaos.complete:
        pytest.skip("takes 20 s; with ROUNDS only")
    cases = [(way, Life(engine)) for way in FORCE]
    for _, life in cases:
        life.detached("exit 7")
        wait_until((held / life.id).exists, LIMIT)

    def run(case: tuple[str, Life]) -> None:
        way, life = case
        engine.ok(*FORCE[way], life.name)
        if way == "rm":
            life.gone()
        else:
            life.ends(7)
        chaos.figures["cases"] += 1

    in_parallel(cases, run)
