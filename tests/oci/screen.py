"""A terminal with a program in it, as a user has it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.oci.podman import Podman


class Screen:
    """A terminal of the user, with an engine as the program in it."""

    def __init__(self, engine: Podman, wait_until: Any) -> None:
        self.engine = engine
        self.wait_until = wait_until
        self.text = ""
        self.master, self._slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.process: subprocess.Popen[bytes] | None = None

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def run(self, *words: str) -> None:
        # setsid makes the terminal the controlling one, so that the kernel sends SIGWINCH.
        argv = [self.engine.runner.wrapper, "setsid", "--ctty", "--wait", self.engine.command, *words]
        self.process = subprocess.Popen(argv, stdin=self._slave, stdout=self._slave, stderr=self._slave)
        self.engine.processes.append(self.process)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self) -> str:
        """All that is there by now; a terminal gives 4 KiB at a time."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.text += os.read(self.master, 1 << 16).decode()
        return self.text

    def expect(self, text: str) -> None:
        self.wait_until(lambda: text in self.read(), 30, what=f"{text!r} in {self.text[-300:]!r}")

    def ended(self) -> bool:
        assert self.process
        over = self.process.poll() is not None
        self.read()  # what was written before it ended is there now
        return over

    def exit_code(self) -> int:
        self.wait_until(self.ended, 40, what=f"end; so far {self.text[-300:]!r}")
        assert self.process
        return int(self.process.returncode)

    def hang_up(self) -> None:
        """The window is closed; the engine has the terminal still open."""
        os.close(self.master)
        self.master = os.open(os.devnull, os.O_RDWR | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self.master)
        os.close(self._slave)
