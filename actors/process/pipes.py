"""Pipes of scrun's own, and how much they hold. On the way of ``exec``."""

import fcntl
import os

PIPE_SIZE = 1 << 16
NARROW = 1 << 12
"""Of a pipe that carries a byte now and then."""


def make_pipe(size: int = PIPE_SIZE) -> tuple[int, int]:
    """Make a pipe of our own, ``(read end, write end)``, CLOEXEC, of the given size where that is allowed.

    The default is the kernel's: srun is no faster with 1 MiB, and all pipes of an unprivileged user may hold
    64 MiB together (``pipe-user-pages-soft``). Once that is spent, every new pipe of the user, in any program,
    has two pages: some twenty containers with pipes of 1 MiB would do it.
    """
    reader, writer = os.pipe()
    resize(writer, size)
    return reader, writer


def resize(pipe: int, size: int) -> None:
    """Have a pipe hold so many bytes, where that is allowed."""
    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, size)
    except OSError:
        pass  # EPERM, over the limit: a small pipe does as well
