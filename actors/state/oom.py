"""Tells podman that memory ran out.

conmon watches the control group of the container's process, and that of the anchor is never short of memory. What
podman looks for is a file that conmon would make: ``oom`` in the bundle (podman 4) or in conmon's ``--persist-dir``
(podman 5). So it is made here, before the anchor ends.
"""

import contextlib
import os


def leave_mark(bundle: str, anchor: int) -> None:
    """Make the file, if conmon is who waits for the anchor."""
    words = _parent_of(anchor)
    if not words or os.path.basename(words[0]) != b"conmon":
        return
    directories = [os.fsencode(bundle)]
    if b"--persist-dir" in words[:-1]:
        directories.append(words[words.index(b"--persist-dir") + 1])
    for directory in directories:
        with contextlib.suppress(OSError):
            os.close(os.open(directory + b"/oom", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def _parent_of(pid: int) -> list[bytes]:
    """The command line of a process's parent; empty if there is none to be seen."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            parent = int(file.read().rpartition(b")")[2].split()[1])
        with open(f"/proc/{parent}/cmdline", "rb") as file:
            return file.read().split(b"\0")
    except (OSError, IndexError):
        return []
