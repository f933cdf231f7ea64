"""Commands of a process that has many pages: started as by vfork(2), without a copy of their table.

fork(2) of the anchor takes 3 ms of each side, and each page that one of them touches afterwards is copied (measured).
"""

import fcntl
import os
import signal
from collections.abc import Iterable, Mapping, Sequence

_HIGH = 32
"""Where descriptors are parked while the command's 0, 1, 2 … are put in place."""
_CAUGHT = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}
_ENTER = b'cd "$0" 2>/dev/null || cd /; exec "$@"'


def spawn(
    argv: Sequence[bytes],
    env: Iterable[bytes],
    files: Mapping[int, int],
    *,
    program: bytes = b"",
    directory: bytes = b"/",
    session: bool = False,
) -> int:
    """Start a command in a process group of its own; return its pid.

    This process is in ``/``, has one thread, and its descriptors are closed on exec, but for 0, 1 and 2.

    Args:
        argv: ``argv[0]`` is an absolute path, unless there is a ``program``.
        env: ``K=V``.
        files: its descriptors besides what this process leaves to all, and what they are here.
        program: an absolute path.
        directory: to be in, or ``/`` if it cannot be entered. The command itself finds that out: here, a dead network
            file system would stop the anchor.
        session: whether it gets a session, too.

    Raises:
        OSError: it cannot be started.

    """
    if directory != b"/":
        argv = (b"/bin/sh", b"-c", _ENTER, directory, *argv)
    parked: dict[int, int] = {}
    try:
        # Parked first, for the place of one may be what another is to become.
        for number, fd in files.items():
            parked[number] = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH)
        return os.posix_spawn(
            program or argv[0],
            list(argv),
            dict(pair.split(b"=", 1) for pair in env if b"=" in pair),
            file_actions=[(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in parked.items()],
            setsigdef=_CAUGHT,
            setsigmask=(),
            **({"setsid": True} if session else {"setpgroup": 0}),
        )
    finally:
        for fd in parked.values():
            os.close(fd)
