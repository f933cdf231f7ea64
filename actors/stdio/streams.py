"""Which of the container's streams pass through our pipes, and which descriptor srun gets as it is.

A stream is forwarded (``FORWARD``) when a pipe or a socket of the engine is at its end: so the bytes are
counted, a reader that went away neither stops nor kills the container, and stdin can be ended by us. The rest
goes to srun directly (``DIRECT``): /dev/null is the usual stdin (``podman run`` without ``-i``), and files and
terminals need none of that.

Standard error cannot be direct. srun writes its own messages on fd 2, so the container's must be told apart
with ``--error=/proc/self/fd/6``, and srun *opens* that name (measured): a socket is refused (ENXIO, exit 1), a
regular file is truncated, and what belongs to another user could not be opened. srun then has the pipe open twice,
as 6 and by that name, and closes both when it exits.
"""

import fcntl
import os
import stat
from enum import Enum, auto
from typing import NamedTuple

from proto.value import Value

_NULL_DEVICE = os.makedev(1, 3)


class Kind(Enum):
    """What a descriptor is, as far as it matters here."""

    FIFO = auto()
    SOCKET = auto()
    NULL = auto()
    FILE = auto()
    TTY = auto()
    OTHER = auto()


class Route(Enum):
    """How one stream reaches the step."""

    FORWARD = auto()  # a pipe of ours towards srun, a mover between it and the engine's descriptor
    DIRECT = auto()  # srun gets the engine's descriptor
    TERMINAL = auto()  # srun gets the slave of the container's terminal


class Plan(Value):
    """The routes of the three streams."""

    stdin: Route
    stdout: Route
    stderr: Route

    def forwarded(self) -> tuple[str, ...]:
        """Names of the streams that need a pipe and a mover."""
        routes = {"stdin": self.stdin, "stdout": self.stdout, "stderr": self.stderr}
        return tuple(name for name, route in routes.items() if route is Route.FORWARD)


class Facts(NamedTuple):
    """What ``fstat`` says about a descriptor; equal ``(device, inode)`` means the same file."""

    kind: Kind
    device: int
    inode: int


def facts(fd: int) -> Facts:
    """Find out what a descriptor is.

    Raises:
        OSError: it is not open.

    """
    status = os.fstat(fd)
    mode = status.st_mode
    if stat.S_ISFIFO(mode):
        kind = Kind.FIFO
    elif stat.S_ISSOCK(mode):
        kind = Kind.SOCKET
    elif stat.S_ISREG(mode):
        kind = Kind.FILE
    elif stat.S_ISCHR(mode) and status.st_rdev == _NULL_DEVICE:
        kind = Kind.NULL
    elif os.isatty(fd):
        kind = Kind.TTY
    else:
        kind = Kind.OTHER
    return Facts(kind, status.st_dev, status.st_ino)


def mend() -> None:
    """Put /dev/null in the place of a standard stream that is open the wrong way, as the wrong end of a pipe.

    The program finds no input then, or its output is lost; neither splice(2) nor srun can do anything with such a one.
    """
    for number, way in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
        if flags & os.O_ACCMODE not in {way, os.O_RDWR} or flags & os.O_PATH:
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(null, number)
            os.close(null)


def is_null(fd: int) -> bool:
    """Whether a descriptor is /dev/null.

    Raises:
        OSError: it is not open.

    """
    return facts(fd).kind is Kind.NULL


def same_file(out: Facts, err: Facts) -> bool:
    """Whether stdout and stderr are one regular file (``scrun create … >file 2>&1``)."""
    return out.kind is Kind.FILE and out == err


def plan(kind_in: Kind, kind_out: Kind, kind_err: Kind, terminal: bool, *, one_file: bool = False) -> Plan:
    """Choose the route of each stream.

    Args:
        kind_in: what stdin of ``scrun create`` is.
        kind_out: the same for stdout.
        kind_err: the same for stderr; it makes no difference, see above.
        terminal: ``process.terminal``; the engine's descriptors are then not the container's.
        one_file: stdout and stderr are one regular file. ``splice`` reads and writes the file position
            without the lock that ``write`` takes: srun's writes and ours would overwrite each other, so all
            go through us.

    """
    if terminal:
        return Plan(Route.TERMINAL, Route.TERMINAL, Route.TERMINAL)
    del kind_err
    forwardable = {Kind.FIFO, Kind.SOCKET}
    return Plan(
        stdin=Route.FORWARD if kind_in in forwardable else Route.DIRECT,
        stdout=Route.FORWARD if kind_out in forwardable or one_file else Route.DIRECT,
        stderr=Route.FORWARD,
    )
