"""The process that will start the container, and without which nobody waits for it: podman's, or ``scrun run``.

``create`` has another parent: conmon, which podman's death does not end. But the two are connected until ``create``
returns, and conmon tells what it calls which of its descriptors that is: ``_OCI_SYNCPIPE``, a socket of a pair that
podman has made (libpod/oci_conmon_common.go), and unix(7) has the kernel tell who made it (``SO_PEERCRED``). docker's
shim and conmon have the kernel kill their ``create``; cri-o has a pipe there, which tells nothing.
"""

import os
import socket
import struct
from errno import ENOTSOCK

PODMAN = "podman\n"
SYNC = "_OCI_SYNCPIPE"
STAYS = frozenset({"init", "service", "cleanup"})
STARTS = frozenset({"run", "start", "restart", "play", "kube"})
"""Words of podman's command line: after ``podman init`` the container waits for a ``podman start`` on purpose."""
_PIDFD_GETFD = 438
"""Number of the system call on all machines; Linux 5.6, which is older than any Python that runs this."""


class Engine:
    """A process that can be waited for."""

    def __init__(self, pid: int, *, starts: bool) -> None:
        """Args:
        pid: of the process.
        starts: whether it goes on to start what ``create`` has made, as far as can be known.

        Raises:
            OSError: it has gone.

        """
        self.fd = os.pidfd_open(pid)
        self.starts = starts


def find(caller: int, *, itself: bool) -> Engine | None:
    """The engine of this container; None where that cannot be told.

    Args:
        caller: the parent of ``create``; ``scrun run`` itself.
        itself: whether that is who will start the container.

    """
    try:
        pid = caller if itself else _outermost(_behind(caller))
        return Engine(pid, starts=itself or will_start(_words(pid)))
    except (OSError, ValueError):
        return None


def will_start(words: list[str]) -> bool:
    """Whether a command of podman's starts the container that it has created."""
    return next((word in STARTS for word in words[1:] if word in STARTS | STAYS), False)


def _behind(conmon: int) -> int:
    """Who has started conmon.

    Raises:
        OSError: it does not tell, or is no conmon.
        ValueError: the same.

    """
    import ctypes

    sync = int(os.environ.get(SYNC, ""))
    if not os.readlink(f"/proc/{conmon}/fd/{sync}").startswith("socket:"):
        raise OSError(ENOTSOCK, SYNC)
    libc = ctypes.CDLL(None, use_errno=True)
    handle = os.pidfd_open(conmon)
    try:
        number = libc.syscall(_PIDFD_GETFD, handle, sync, 0)
    finally:
        os.close(handle)
    if number < 0:
        raise OSError(ctypes.get_errno(), SYNC)
    with socket.socket(fileno=number) as connection:
        pid, _, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(pid)


def _outermost(pid: int) -> int:
    """The first podman of a user makes a user namespace, with a second podman in it, and waits for that."""
    parent = int(_read(pid, "stat").rpartition(")")[2].split()[1])
    return parent if parent and _read(pid, "comm") == _read(parent, "comm") == PODMAN else pid


def _words(pid: int) -> list[str]:
    return _read(pid, "cmdline").split("\0")


def _read(pid: int, name: str) -> str:
    with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
        return file.read()
