"""A terminal of a given size at the end of a real ssh session."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

from tests.site import machines

if TYPE_CHECKING:
    from tests.site.machines import User


def in_terminal(user: User, script: str, *, rows: int, columns: int) -> str:
    """What the script wrote onto the terminal until it ended."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))
    with subprocess.Popen(
        ["setsid", "--ctty", "--wait", str(machines.HERE / "in"), "login", user.name, script],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "SITE_SSH": "-tt"},
    ) as process:
        os.close(theirs)
        written = b""
        # A read fails with EIO when nobody has the other side any more.
        try:
            while part := os.read(ours, 65536):
                written += part
        except OSError:
            pass
        finally:
            os.close(ours)
        process.wait(machines.COMMAND)
    return written.decode(errors="backslashreplace")
