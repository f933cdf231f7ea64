"""What every process does right after it was forked from the anchor. Imports little: the guard comes this way."""

import fcntl
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    import socket
    from collections.abc import Iterable, Sequence
else:
    import _signal as signal  # without the enumerations, which take 8 ms of ``exec``

_DESCRIPTOR_LIMIT = 1 << 16
_HIGH = 32
"""Where descriptors are parked while 0, 1, 2 … are put in place."""


def pair() -> "tuple[socket.socket, socket.socket]":
    """A connected pair of stream sockets, closed on exec."""
    import socket

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


def become(argv: "Sequence[bytes]", env: "Iterable[bytes]", files: dict[int, int], directory: str) -> None:
    """In a forked child: become a command, as from ``execve``. Comes back only by an exception.

    Args:
        argv: ``argv[0]`` is an absolute path.
        env: ``K=V``.
        files: its descriptors, and what they are here; no other stays open.
        directory: to be in; ``/`` if it cannot be entered.

    """
    # Parked first, for the place of one may be what another is to become.
    parked = {number: fcntl.fcntl(fd, fcntl.F_DUPFD, _HIGH) for number, fd in files.items()}
    for number, fd in parked.items():
        os.dup2(fd, number, inheritable=True)
    close_all_but(set(files))
    default_signals()
    try:
        os.chdir(directory)
    except OSError:
        os.chdir("/")
    os.execve(argv[0], list(argv), dict(pair.split(b"=", 1) for pair in env if b"=" in pair))


def detach_stdio(*, but: int | None = None) -> None:
    """Put /dev/null on 0, 1 and 2, but for one of them.

    The engine waits for the end of its pipes, and whoever holds a writing end of one prevents it.
    """
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        if number not in (null, but):
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
    try:
        with open("/proc/self/comm", "wb", buffering=0) as file:
            file.write(name.encode())
    except OSError:
        pass
