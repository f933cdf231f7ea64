"""``docker run -t``: the program has a terminal, of the user's size, and it follows the user's window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.docker import Docker


@pytest.fixture
def screen(docker: Docker, wait_until: Any) -> Iterator[Screen]:
    made = Screen(docker, wait_until)
    made.resize(31, 97)
    yield made
    made.close()


def run(screen: Screen, *words: str) -> str:
    name = screen.engine.name()
    screen.run("run", "--name", name, "--network", "none", *words)
    return name


def type_until(screen: Screen, keys: str, answer: str) -> None:
    """Type, again and again, until there is an answer.

    docker's client makes its terminal raw after it has begun to show output, and what was typed before is flushed.
    """

    def answered() -> bool:
        if answer in screen.read():
            return True
        screen.type(keys)
        return False

    screen.wait_until(answered, 30, interval=1.0, what=f"{answer!r} in {screen.text!r}")


def test_terminal_and_exit_code(screen: Screen) -> None:
    script = "test -t 0 && test -t 1 && test -t 2 && echo all three; exit 5"
    run(screen, "--rm", "-it", "busybox", "sh", "-c", script)
    screen.expect("all three\r\n")
    assert screen.exit_code() == 5


def test_the_size_follows_the_window(screen: Screen) -> None:
    script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'
    name = run(screen, "-it", "busybox", "sh", "-c", script)
    screen.expect("ready")

    def resized() -> bool:
        # docker's client sends a size when it sees SIGWINCH, and srun may not listen yet to the first.
        screen.resize(44, 154)
        screen.resize(44, 155)
        return "44 155" in screen.read()

    screen.wait_until(resized, 30, interval=0.3, what="the new size")
    screen.engine.ok("kill", name)
    assert screen.exit_code() == 137


def test_control_c_interrupts(screen: Screen) -> None:
    script = 'trap "echo int; exit 8" INT; echo ready; while :; do sleep 0.1; done'
    run(screen, "--rm", "-it", "busybox", "sh", "-c", script)
    screen.expect("ready")
    type_until(screen, "\x03", "int\r\n")
    assert screen.exit_code() == 8


def test_a_detached_terminal_and_attach(screen: Screen) -> None:
    name = screen.engine.detached("-it", "busybox", "sh", "-c", 'read x; echo "<$x>"; exit 2')
    screen.run("attach", name)
    screen.type("word\r")
    screen.expect("<word>")
    assert screen.exit_code() == 2
