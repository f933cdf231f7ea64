"""The container's terminal as the anchor's controlling one: who hears of its size, and of its end.

The kernel tells a new size (SIGWINCH) and the engine's end (SIGHUP) to the terminal's own session. srun does not
lead that session, because it cannot bear SIGWINCH at any time: until the node has called it back it waits in
accept(2), which a signal interrupts, and then no later size reaches the program either ("pty: accept failure:
Interrupted system call"). So the anchor takes the signals, and passes a size on from the moment when the nodes have
reported that the program's task runs: the node connects before it starts the task.
"""

import os
import signal

from proto.host.terminal import window_size

from .commands import CommandTable


class Window:
    """Passes the terminal's news on to the command that uses it."""

    def __init__(self, commands: CommandTable) -> None:
        self._commands = commands
        self._name = ""
        self._size = (0, 0)
        self._followed = False

    def begin(self, name: str) -> None:
        """A command is about to be started, and looks at the size by itself."""
        if not self._name:
            self._name = name
            self._size = _size() or (0, 0)

    def follow(self) -> None:
        """The command can bear to be told from now on: tell it what it has missed."""
        self._followed = True
        if _size() != self._size:
            self.resized()

    def resized(self) -> None:
        """SIGWINCH has come: the command looks at the size itself."""
        if self._followed:
            self._commands.signal(self._name, signal.SIGWINCH)

    def hung_up(self) -> bool:
        """Whether the SIGHUP that has come is from the terminal's end, and not from a process (``kill -HUP``).

        A program that can neither read nor write any more is ended, as srun would do it.
        """
        if _size() is not None or not self._name:
            return False
        self._commands.signal(self._name, signal.SIGHUP)
        return True


def _size() -> tuple[int, int] | None:
    """The terminal's size; None if there is none, or the engine has closed the other end.

    It is opened for the moment only: the engine sees the end of the output when no process has it open any more.
    """
    try:
        fd = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return window_size(fd)
    finally:
        os.close(fd)
