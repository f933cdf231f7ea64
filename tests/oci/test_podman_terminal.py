"""``podman run -t``: the program has a terminal, of the user's size, and it follows the user's window."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.oci.podman import Podman


class Screen:
    """A terminal of the user, with podman as the program in it."""

    def __init__(self, podman: Podman, wait_until: Any) -> None:
        self.podman = podman
        self.wait_until = wait_until
        self.text = ""
        self.master, self._slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.process: subprocess.Popen[bytes] | None = None

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def run(self, *words: str) -> None:
        # setsid makes the terminal the controlling one, so that the kernel sends SIGWINCH.
        argv = [self.podman.runner.wrapper, "setsid", "--ctty", "--wait", "podman", *words]
        self.process = subprocess.Popen(argv, stdin=self._slave, stdout=self._slave, stderr=self._slave)
        self.podman.processes.append(self.process)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self) -> str:
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self.master, 1 << 16).decode()
        return self.text

    def expect(self, text: str) -> None:
        self.wait_until(lambda: text in self.read(), 30, what=f"{text!r} in {self.text!r}")

    def exit_code(self) -> int:
        assert self.process
        process = self.process
        self.wait_until(lambda: (self.read(), process.poll() is not None)[1], 40, what=f"end; so far {self.text!r}")
        return process.returncode

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)


@pytest.fixture
def screen(podman: Podman, wait_until: Any) -> Iterator[Screen]:
    made = Screen(podman, wait_until)
    made.resize(31, 97)
    yield made
    made.close()


def test_the_program_has_a_terminal_of_the_right_size(screen: Screen) -> None:
    script = "test -t 0 && test -t 1 && test -t 2 && echo all three; stty size; exit 5"
    screen.run("run", "--rm", "-it", "--name", screen.podman.name(), "busybox", "sh", "-c", script)
    screen.expect("all three\r\n31 97\r\n")
    assert screen.exit_code() == 5


def test_a_terminal_without_input(screen: Screen) -> None:
    screen.run("run", "--rm", "-t", "--name", screen.podman.name(), "busybox", "stty", "size")
    assert screen.exit_code() == 0
    assert "31 97" in screen.text


def test_point_21_the_size_follows_the_window(screen: Screen) -> None:
    script = 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'
    name = screen.podman.name()
    screen.run("run", "-it", "--name", name, "busybox", "sh", "-c", script)
    screen.expect("ready")
    screen.resize(44, 155)
    screen.expect("44 155")
    screen.resize(20, 60)
    screen.expect("20 60")
    screen.podman.ok("kill", name)
    assert screen.exit_code() == 137


def test_keys_are_echoed_and_control_c_interrupts(screen: Screen) -> None:
    script = 'trap "echo int; exit 8" INT; echo ready; read x; echo "got $x"; while :; do sleep 0.1; done'
    screen.run("run", "--rm", "-it", "--name", screen.podman.name(), "busybox", "sh", "-c", script)
    screen.expect("ready")
    screen.type("hello\r")
    screen.expect("hello\r\ngot hello")
    screen.type("\x03")
    screen.expect("int")
    assert screen.exit_code() == 8


def test_control_d_ends_the_input(screen: Screen) -> None:
    screen.run("run", "--rm", "-it", "--name", screen.podman.name(), "busybox", "sh", "-c", "echo ready; cat; exit 3")
    screen.expect("ready")
    screen.type("line\r\x04")
    assert screen.exit_code() == 3
    assert screen.text.count("line\r\n") == 2


def test_much_output_through_a_terminal(screen: Screen) -> None:
    screen.run("run", "--rm", "-t", "--name", screen.podman.name(), "busybox", "seq", "20000")
    assert screen.exit_code() == 0
    screen.expect("19999\r\n20000\r\n")
    assert screen.text.split() == [str(number) for number in range(1, 20001)]


def test_a_detached_terminal_and_attach(screen: Screen) -> None:
    name = screen.podman.detached("-it", "busybox", "sh", "-c", 'read x; echo "<$x>"; exit 2')
    screen.run("attach", name)
    screen.type("word\r")
    screen.expect("<word>")
    screen.exit_code()
    assert screen.podman.ok("wait", name) == "2"
