"""A script at a terminal, and what a user types at it."""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import functools
import os
import pty
import select
import struct
import termios
import time
from typing import TYPE_CHECKING

from tests.oci.podman import end_all

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from tests.oci.beside.table import Terminal

PATIENCE = 20.0
"""Seconds until what a user waits for before typing must have appeared."""


class StuckError(Exception):
    """The script did not come to where it should."""


class Session:
    """One terminal, with one process that is at it."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.output = b""
        self.master, self.slave = pty.openpty()
        size = struct.pack("4H", terminal.rows, terminal.columns, 0, 0)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, size)
        os.set_blocking(self.master, False)

    def converse(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        """Type what is to be typed, and read to the end.

        Raises:
            StuckError: What was waited for did not appear, or the end did not come by the deadline (monotonic).

        """
        seen = 0
        for after, keys in self.terminal.typed:
            word = after.encode()
            by = min(deadline, time.monotonic() + PATIENCE)
            self._read_until(functools.partial(self._shows, word, seen), by, f"without {after!r}")
            seen = self.output.index(word, seen) + len(word)
            if self.terminal.raw:
                self._read_until(self._is_raw, by, "at a terminal that is not raw")
            self._type(keys, by)
        self._read_until(lambda: process.poll() is not None, deadline, "without end")
        self._read()

    def _type(self, keys: str, deadline: float) -> None:
        """One key after the other, as fingers do: engines look for their detach keys in reads of one byte."""
        for key in keys:
            os.write(self.master, key.encode())
            if self.terminal.raw:
                self._read_until(self._is_read, deadline, f"with {key!r} not read")

    def _is_read(self) -> bool:
        waiting = array.array("i", [0])
        fcntl.ioctl(self.slave, termios.FIONREAD, waiting)
        return waiting[0] == 0

    def _shows(self, word: bytes, since: int) -> bool:
        return word in self.output[since:]

    def _is_raw(self) -> bool:
        return not termios.tcgetattr(self.slave)[3] & termios.ICANON

    def _read_until(self, condition: Callable[[], bool], deadline: float, otherwise: str) -> None:
        while not condition():
            if time.monotonic() > deadline:
                raise StuckError(otherwise)
            select.select([self.master], [], [], 0.05)
            self._read()

    def _read(self) -> None:
        try:
            while piece := os.read(self.master, 1 << 16):
                self.output += piece
        except BlockingIOError:
            pass
        except OSError as error:
            if error.errno != errno.EIO:
                raise

    def close(self) -> None:
        os.close(self.slave)
        os.close(self.master)


@contextlib.contextmanager
def session(
    terminal: Terminal, start: Callable[[int], subprocess.Popen[bytes]]
) -> Iterator[tuple[Session, subprocess.Popen[bytes]]]:
    """A process that ``start`` starts at a new terminal; both are gone afterwards."""
    made = Session(terminal)
    try:
        process = start(made.slave)
        try:
            yield made, process
        finally:
            end_all([process])
    finally:
        made.close()
