"""A gate between two processes that share nothing but a file: one closes it and works, the other waits before it.

It is a POSIX lock on the file (fcntl(2)), since no forked child has that: the process that closed the gate can fork
whatever it likes, and its death opens the gate. The trap is that it opens, too, when that process closes any other
descriptor of the same file. On the path of ``create``: imports next to nothing.
"""

import fcntl
import os


def close(path: str) -> int:
    """Close the gate; return the descriptor that keeps it closed.

    Args:
        path: of a file that is there, and that this process opens nowhere else.

    Raises:
        OSError: the file cannot be opened.

    """
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
    except OSError:
        pass  # a file system without locks has gates that are always open
    return descriptor


def wait(path: str) -> None:
    """Wait until the gate is open; one without a file, or without locks, is open."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_SH)
    except OSError:
        pass
    finally:
        os.close(descriptor)
