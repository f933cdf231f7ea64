"""What every process does right after it was forked from the anchor. Imports little: the guard comes this way."""

import contextlib
import os
import signal
import socket

_DESCRIPTOR_LIMIT = 1 << 16


def pair() -> tuple[socket.socket, socket.socket]:
    """A connected pair of stream sockets, closed on exec."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor of this process that is not in ``keep``."""
    low = 0
    for fd in sorted(keep):
        if fd > low:
            # An empty range that begins with 0 closes everything: CPython 3.11 hands -1 to close_range(2).
            os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, _DESCRIPTOR_LIMIT)


def detach_stdio() -> None:
    """Put /dev/null on 0, 1 and 2.

    The engine waits for the end of its pipes, and whoever holds a writing end of one prevents it.
    """
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        if number != null:
            os.dup2(null, number)
    if null > 2:
        os.close(null)


def default_signals() -> None:
    """Undo every handler and mask that the anchor has."""
    signal.set_wakeup_fd(-1)
    for signum in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(signum, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def name_process(name: str) -> None:
    """Have ``ps`` and ``top`` show a name (its first 15 bytes) in place of the interpreter's."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "wb", buffering=0) as file:
        file.write(name.encode())
