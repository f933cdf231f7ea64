"""Which signals reach a program: those that reach it with runc, each of them once."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tests.conftest import wait_until

if TYPE_CHECKING:
    from tests.conftest import Runner
    from tests.oci.podman import Podman

TOLD = 'n=1; while [ $n -le 64 ]; do trap "echo got $n" $n 2>/dev/null; n=$((n+1)); done; echo ready; '
"""Sets a trap for each number; a shell has no child that would send it CHLD."""
COUNT = f"{TOLD} while :; do read line; done"
NUMBERS = [number for number in range(1, 65) if number not in {signal.SIGKILL, signal.SIGSTOP}]


def received(podman: Podman, *options: str) -> list[str]:
    """Send each signal to a program that counts them; return what it says, and whether it still runs."""
    name = podman.ready(COUNT, "--interactive", *options)
    kill = 'for n; do podman kill --signal "$n" "$0" || exit; done'
    done = podman.runner(["/bin/sh", "-c", kill, name, *map(str, NUMBERS), "1"], timeout=120)
    assert done.returncode == 0, done.stderr
    wait_until(lambda: words(podman, name).count("got 1") == 2, 10, what="the last signal")
    return [*sorted(words(podman, name)), podman.status(name)[0]]


def words(podman: Podman, name: str) -> list[str]:
    return podman.ok("logs", name).split("\n")


def test_each_signal_that_runc_delivers_is_delivered(podman: Podman, root_podman: Podman) -> None:
    said = received(podman)
    assert {f"got {number}" for number in NUMBERS} - set(said) == {"got 32", "got 33"}  # no shell can trap these
    assert said == received(root_podman, "--runtime", "runc")


def test_a_container_is_stopped_by_window_changed_as_apaches_image_is(engine: Podman) -> None:
    script = 'trap "echo gracefully; exit 3" WINCH; echo ready; while :; do sleep 0.1; done'
    name = engine.ready(script, "--stop-signal", "SIGWINCH")
    engine.ok("stop", "--time", "30", name, timeout=25)
    assert engine.status(name) == ("exited", 3)
    assert engine.ok("logs", name).endswith("gracefully")


def test_podman_stops_one_with_a_terminal_so_too(podman: Podman) -> None:
    script = 'trap "echo gracefully; exit 3" WINCH; echo ready; while :; do sleep 0.1; done'
    name = podman.ready(script, "--tty", "--stop-signal", "SIGWINCH")
    podman.ok("stop", "--time", "30", name, timeout=25)
    assert podman.status(name) == ("exited", 3)


def test_with_a_terminal_a_changed_window_is_told_by_its_size_alone(podman: Podman) -> None:
    script = 'trap "echo changed" WINCH; trap "echo told" USR1; echo ready; while :; do sleep 0.1; done'
    name = podman.ready(script, "--tty")
    podman.ok("kill", "--signal", "WINCH", name)
    podman.ok("kill", "--signal", "USR1", name)
    wait_until(lambda: "told" in podman.ok("logs", name), 10, what="the second signal")
    assert "changed" not in podman.ok("logs", name)


def test_a_signal_for_a_job_that_is_suspended_arrives_when_it_goes_on(podman: Podman, as_root: Runner) -> None:
    name = podman.ready('trap "echo changed" WINCH; echo ready; while :; do sleep 0.1; done')
    job = str(podman.job(podman.id(name)))
    assert as_root(["scontrol", "suspend", job]).returncode == 0
    try:
        podman.ok("kill", "--signal", "WINCH", name)
        assert words(podman, name) == ["ready"]
    finally:
        as_root(["scontrol", "resume", job])
    wait_until(lambda: words(podman, name) == ["ready", "changed"], 30, what="the signal")
