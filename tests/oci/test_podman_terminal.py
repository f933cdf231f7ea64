"""``podman run -t``: the program has a terminal, of the user's size, and it follows the user's window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.podman import Podman


@pytest.fixture
def screen(podman: Podman, wait_until: Any) -> Iterator[Screen]:
    made = Screen(podman, wait_until)
    made.resize(31, 97)
    yield made
    made.close()


def test_the_program_has_a_terminal_of_the_right_size(screen: Screen) -> None:
    script = "test -t 0 && test -t 1 && test -t 2 && echo all three; stty size; exit 5"
    screen.run("run", "--rm", "-it", "--name", screen.engine.name(), "busybox", "sh", "-c", script)
    screen.expect("all three\r\n31 97\r\n")
    assert screen.exit_code() == 5


def test_a_terminal_without_input(screen: Screen) -> None:
    screen.run("run", "--rm", "-t", "--name", screen.engine.name(), "busybox", "stty", "size")
    assert screen.exit_code() == 0
    assert "31 97" in screen.text


def test_point_21_the_size_follows_the_window(screen: Screen) -> None:
    script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'
    name = screen.engine.name()
    screen.run("run", "-it", "--name", name, "busybox", "sh", "-c", script)
    screen.expect("ready")
    screen.resize(44, 155)
    screen.expect("44 155")
    screen.resize(20, 60)
    screen.expect("20 60")
    screen.engine.ok("kill", name)
    assert screen.exit_code() == 137


def test_keys_are_echoed_and_control_c_interrupts(screen: Screen) -> None:
    script = 'trap "echo int; exit 8" INT; echo ready; read x; echo "got $x"; while :; do sleep 0.1; done'
    screen.run("run", "--rm", "-it", "--name", screen.engine.name(), "busybox", "sh", "-c", script)
    screen.expect("ready")
    screen.type("hello\r")
    screen.expect("hello\r\ngot hello")
    screen.type("\x03")
    screen.expect("int")
    assert screen.exit_code() == 8


def test_control_d_ends_the_input(screen: Screen) -> None:
    screen.run("run", "--rm", "-it", "--name", screen.engine.name(), "busybox", "sh", "-c", "echo ready; cat; exit 3")
    screen.expect("ready")
    screen.type("line\r\x04")
    assert screen.exit_code() == 3
    assert screen.text.count("line\r\n") == 2


def test_much_output_through_a_terminal(screen: Screen) -> None:
    screen.run("run", "--rm", "-t", "--name", screen.engine.name(), "busybox", "seq", "20000")
    assert screen.exit_code() == 0
    screen.expect("19999\r\n20000\r\n")
    assert screen.text.split() == [str(number) for number in range(1, 20001)]


def test_a_detached_terminal_and_attach(screen: Screen) -> None:
    name = screen.engine.detached("-it", "busybox", "sh", "-c", 'read x; echo "<$x>"; exit 2')
    screen.run("attach", name)
    screen.type("word\r")
    screen.expect("<word>")
    screen.exit_code()
    assert screen.engine.ok("wait", name) == "2"
