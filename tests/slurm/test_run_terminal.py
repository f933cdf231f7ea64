"""``scrun run`` in the foreground: the container's terminal is the caller's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

from tests.slurm.runtime import CONFIG, TERMINALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.slurm.runtime import Runtime


class Terminal:
    """A terminal on which a user calls ``scrun run``."""

    def __init__(self, runtime: Runtime, *, place: bool) -> None:
        self.runtime = runtime
        self.mounts = [*CONFIG["mounts"], *([TERMINALS] if place else [])]
        self.master, self.slave = os.openpty()
        os.set_blocking(self.master, False)
        self.text = ""
        self.resize(31, 97)

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def run(self, script: str) -> subprocess.Popen[bytes]:
        bundle = str(self.runtime.bundle("/bin/sh", "-c", script, terminal=True, config={"mounts": self.mounts}))
        # setsid makes it the controlling terminal, so that the kernel tells of its size.
        words = ["setsid", "--ctty", "--wait", *self.runtime.words("run", "--bundle", bundle, "box")]
        self.runtime.ids.append("box")
        return self.runtime.runner.start(words, stdin=self.slave, stdout=self.slave, stderr=self.slave)

    def expect(self, text: str) -> None:
        self.runtime.wait_until(lambda: text in self.read(), 40, what=f"{text!r} in {self.text!r}")

    def read(self) -> str:
        with contextlib.suppress(BlockingIOError):
            self.text += os.read(self.master, 1 << 16).decode()
        return self.text

    def code(self, process: subprocess.Popen[bytes]) -> int:
        self.runtime.wait_until(lambda: (self.read(), process.poll() is not None)[1], 40, what=f"end; {self.text!r}")
        assert process.returncode is not None
        return process.returncode


def crun() -> tuple[int, ...]:
    """The version of the nodes' runtime."""
    first = subprocess.run(["crun", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
    return tuple(int(part) for part in first.rpartition(" ")[2].split("."))


@pytest.fixture(params=[True, False], ids=["with a place for terminals", "without"])
def terminal(runtime: Runtime, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    """The runtime makes one of the container's own where there is a place for it; else it is slurmstepd's."""
    if not request.param and crun() >= (1, 21):
        pytest.skip("crun 1.21 has no terminal to give where there is no /dev/ptmx")
    made = Terminal(runtime, place=request.param)
    yield made
    os.close(made.master)
    os.close(made.slave)


def test_interrupt_goes_to_the_program(terminal: Terminal) -> None:
    process = terminal.run("trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done")
    terminal.expect("ready\r\n")
    os.write(terminal.master, b"\x03")
    terminal.expect("caught\r\n")
    assert terminal.code(process) == 9


def test_more_than_the_program_reads_stops_nobody(terminal: Terminal) -> None:
    """The program writes before it reads, and both directions are full at some time."""
    if terminal.mounts[-1] is TERMINALS and crun() < (1, 21):
        pytest.skip("crun 1.8.1 copies in both directions with one process, which waits for whichever is full")
    process = terminal.run("stty raw -echo; echo go; seq 1 20000; dd bs=1 count=20000 >/dev/null 2>&1; echo done")
    terminal.expect("go")
    left = b"x" * 20000

    def written() -> bool:
        nonlocal left
        terminal.read()
        with contextlib.suppress(BlockingIOError):
            left = left[os.write(terminal.master, left) :]
        return not left

    terminal.runtime.wait_until(written, 60, what="everything typed")
    terminal.expect("done")
    assert terminal.code(process) == 0
    assert "\n20000" in terminal.text


def test_without_a_terminal_of_the_callers_there_is_one_all_the_same(runtime: Runtime) -> None:
    bundle = str(runtime.bundle("/bin/sh", "-c", "test -t 0 && test -t 1 && echo yes", terminal=True))
    done = runtime("run", "--bundle", bundle, "box")
    assert (done.returncode, done.stdout, done.stderr) == (0, "yes\r\n", "")
