"""What an anchor that is gone has left behind: its actors, and the commands of Slurm's that it had started."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator

from proto.host.paths import ContainerPaths

TERM_LIMIT = 2.0
"""Seconds that Slurm's commands get to go in order."""


def end_processes(paths: ContainerPaths, anchor: int, *, spared: bytes = b"") -> None:
    """End what is left of the anchor's session, and every command that was given this container's address.

    SIGTERM first: it makes salloc take a request back that Slurm may be about to grant. No process knows
    of the job of a salloc that was killed.

    Args:
        paths: of the container.
        anchor: pid that the anchor had.
        spared: whoever has this word in his command line goes on.

    """
    for signum in (signal.SIGTERM, signal.SIGKILL):
        relatives = list(_relatives(paths, anchor, spared))
        for pid in relatives:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signum)
        deadline = time.monotonic() + TERM_LIMIT
        while relatives and signum == signal.SIGTERM and time.monotonic() < deadline:
            relatives = [pid for pid in relatives if os.path.exists(f"/proc/{pid}/exe")]
            time.sleep(0.02)


def _relatives(paths: ContainerPaths, anchor: int, spared: bytes) -> Iterator[int]:
    mark = paths.mark
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                session = int(file.read().rsplit(b")", 1)[1].split()[3])
            with open(f"/proc/{entry}/environ", "rb") as file:
                marked = mark in file.read().split(b"\0")
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                goes_on = bool(spared) and spared in file.read().split(b"\0")
        except (OSError, IndexError):
            continue
        # Session 0 is that of every process whose leader is outside the pid namespace, 1 is init's.
        if not goes_on and (marked or (session == anchor and anchor > 1)):
            yield int(entry)
