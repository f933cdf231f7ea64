"""``scrun run`` on a terminal: it plays the engine and copies between its own terminal and the container's."""

import errno
import fcntl
import os
import select
import signal
import socket
import tempfile
import termios
import tty
from typing import Self

from proto.errors import LaunchError, StorageError
from proto.host.trees import remove_tree
from scrun.report.lines import feed

CHUNK = 1 << 16
WAIT = 10.0
SILENCE = 200
"""Milliseconds without a byte after which the output counts as ended, though a process still has the terminal open."""


class OwnTerminal:
    """A console socket of our own, and what comes through it."""

    def __init__(self) -> None:
        """Find this process's terminal; without one the container has its own all the same, of no size."""
        self._outer = next((number for number in (0, 1, 2) if os.isatty(number)), None)
        self._master = -1
        self._heard = True
        self._saved = None if self._outer is None else termios.tcgetattr(self._outer)
        # Short: the address of a socket has 107 bytes.
        self._directory = tempfile.mkdtemp(prefix="scrun-", dir="/tmp")
        self.path = f"{self._directory}/console"
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(1)
        self._listener.settimeout(WAIT)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._outer is not None and self._saved is not None:
            termios.tcsetattr(self._outer, termios.TCSADRAIN, self._saved)
        self._listener.close()
        if self._master >= 0:
            os.close(self._master)
        remove_tree(self._directory)

    def attach(self) -> None:
        """Take the container's terminal, give it this one's size, and this one to it.

        Raises:
            LaunchError: it was not sent.

        """
        try:
            with self._listener.accept()[0] as sock:
                sock.settimeout(WAIT)
                _, [self._master], *_ = socket.recv_fds(sock, 4096, 1)
        except (OSError, ValueError):
            raise LaunchError("the container's terminal was not handed over") from None
        os.set_blocking(self._master, False)
        if self._outer is not None:
            outer = self._outer
            signal.signal(signal.SIGWINCH, lambda *_: self._resize(outer))
            self._resize(outer)
            tty.setraw(outer)

    def _resize(self, outer: int) -> None:
        size = fcntl.ioctl(outer, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def copy(self, anchor: int) -> None:
        """Copy both ways until the container's side is closed or its process has ended."""
        ended = os.pidfd_open(anchor)
        poller = select.poll()
        poller.register(ended, select.POLLIN)
        typed = b""
        listening = True
        try:
            while True:
                poller.register(self._master, select.POLLIN | (select.POLLOUT if typed else 0))
                if listening and not typed:
                    poller.register(0, select.POLLIN)
                ready = dict(poller.poll())
                if 0 in ready:
                    # What has been typed is passed on before more is read: a terminal takes 4 KiB.
                    typed = _typed()
                    listening = bool(typed)
                    poller.unregister(0)
                if typed and ready.get(self._master, 0) & select.POLLOUT:
                    typed = typed[os.write(self._master, typed) :]
                if not self._pass_on():
                    return
                if ended in ready:
                    self._drain()
                    return
        finally:
            os.close(ended)

    def _drain(self) -> None:
        """Print what is still on its way: the kernel passes a terminal's output on in its own time."""
        poller = select.poll()
        poller.register(self._master, select.POLLIN)
        while self._pass_on() and poller.poll(SILENCE):
            pass

    def _pass_on(self) -> bool:
        """Print all that the container has written; False when no process can write any more."""
        while True:
            try:
                data = os.read(self._master, CHUNK)
            except BlockingIOError:
                return True
            except OSError as error:
                if error.errno == errno.EIO:
                    return False
                raise
            if not data:
                return False
            self._print(data)

    def _print(self, data: bytes) -> None:
        """Write it to standard output; one that takes nothing any more must not stop the container."""
        try:
            if self._heard:
                feed(data)
        except (BrokenPipeError, StorageError):
            self._heard = False


def _typed() -> bytes:
    """What standard input has; nothing at its end, and from a connection that was reset."""
    try:
        return os.read(0, CHUNK)
    except OSError:
        return b""
