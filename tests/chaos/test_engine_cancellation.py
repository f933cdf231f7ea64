"""Cancellation through real engines: ``kill`` and ``stop``, signals to the engine's own processes, closed terminals.

Each time the engine tells the true exit status, ``ps`` and ``rm`` work, and nothing is left. What conmon and podman do
with crun, measured, is what is right where that is in doubt.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.conftest import alive, wait_until
from tests.oci.screen import Screen

from .life import LIMIT, Life
from .ordeal import in_parallel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.podman import Podman

    from .conftest import Chaos

LOOP = "echo ready; while :; do sleep 0.1; done"
POLITE = f"trap 'echo bye; exit 5' TERM INT HUP; {LOOP}"
DEAF = f"trap '' TERM INT HUP; {LOOP}"


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
    """The engine's client hands the SIGHUP on."""
    life = Life(screen.engine)
    screen.run("run", "--interactive", "--tty", *life.options("busybox", "sh", "-c", POLITE))
    screen.expect("ready")
    life.known()
    screen.hang_up()
    life.ends(5)


CONMON = {signal.SIGTERM: True, signal.SIGINT: True, signal.SIGHUP: False, signal.SIGKILL: False}
"""Whether conmon hands a signal on. Of the others it dies, and the container, which runs on, is podman's to remove."""


ASKED_TWICE = ((5, 0), (5, 8))
"""From which podman on, and before which one, "rm -f" says 125 of a container that has lost its conmon, with runc, too:
the exit code is not to be had. Asked again, it removes all. (5.4 was seen to; 5.8 does it at once.)"""


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
            lost = state == "running" and not CONMON[signum]
            twice = lost and ASKED_TWICE[0] <= podman.version < ASKED_TWICE[1]
            assert removed.wait(LIMIT) == (125 if twice else 0)
            if twice:
                podman.ok("rm", "--force", life.name)
            elif lost and podman.version < ASKED_TWICE[0]:
                # Without conmon podman 4 calls no "delete"; crun keeps its record, too (measured).
                assert podman.state(life.id)["status"] == "stopped"
                assert podman.runner(["scrun", "delete", life.id]).returncode == 0
            life.gone()
        chaos.figures["cases"] += 1

    in_parallel(cases, run)
