"""Which descriptors a process has, for the tests that look for leaks.

Reads ``/proc`` only; needs the rights of the process's owner.
"""

import os


def descriptors(pid: int) -> dict[int, str]:
    """What each descriptor of a process points to, e.g. ``{0: '/dev/null', 5: 'pipe:[4711]'}``, by number.

    A descriptor that goes away meanwhile is left out; so is the one with which a process looks at itself.

    Raises:
        ProcessLookupError: there is no such process.
        PermissionError: it is somebody else's.

    """
    directory = f"/proc/{pid}/fd"
    found: dict[int, str] = {}
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        raise ProcessLookupError(f"no process {pid}") from None
    for name in sorted(names, key=int):
        try:
            found[int(name)] = os.fsdecode(os.readlink(f"{directory}/{name}"))
        except FileNotFoundError:
            continue
    return found


def kind(target: str) -> str:
    """The kind that a link's text tells: ``pipe``, ``socket``, ``anon_inode`` and so on, else ``file``."""
    head, colon, rest = target.partition(":")
    if colon and rest and not head.startswith("/"):
        return head
    return "file"


def holders(target: str, pids: list[int]) -> dict[int, list[int]]:
    """Which of the processes have a given pipe or file open, and as which descriptors.

    Answers "who keeps this end from being closed?". Processes that are gone or not ours are left out.
    """
    found: dict[int, list[int]] = {}
    for pid in pids:
        try:
            numbers = [number for number, name in descriptors(pid).items() if name == target]
        except (ProcessLookupError, PermissionError):
            continue
        if numbers:
            found[pid] = numbers
    return found
