"""What the kernel tells of a process, for whoever may look at it."""

import os

from proto.value import Value

_TICKS = os.sysconf("SC_CLK_TCK")


class Measure(Value):
    """Numbers of a process; ``None``: it is gone, or is not ours to look at.

    Attributes:
        uptime, cpu: seconds.
        pss: KiB of memory, of what is shared its part.
        descriptors: how many are open.

    """

    uptime: float | None = None
    cpu: float | None = None
    pss: int | None = None
    descriptors: int | None = None


def measure(pid: int) -> Measure:
    """Look at one process."""
    words = _stat(pid)
    if not words:
        return Measure()
    up = float(_read("uptime").split()[0]) - int(words[19]) / _TICKS
    numbers = descriptors(pid)
    return Measure(round(max(0.0, up), 2), _cpu(words), memory(pid), None if numbers is None else len(numbers))


def cpu(pid: int, *, reaped: bool = False) -> float:
    """Seconds of processor time, perhaps with that of the children it has waited for; 0 if it is gone."""
    words = _stat(pid)
    return _cpu(words) + (_cpu(words[2:]) if reaped else 0.0) if words else 0.0


def memory(pid: int) -> int | None:
    """KiB, of what is shared its part; ``None``: see ``Measure``."""
    shares = [line.split()[1] for line in _read(pid, "smaps_rollup").splitlines() if line.startswith("Pss:")]
    return int(shares[0]) if shares else None


def children(pid: int) -> list[int]:
    """Pids of what the process has started and not yet waited for, whichever of its threads did."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return []
    return [int(word) for thread in threads for word in _read(pid, "task", thread, "children").split()]


def name(pid: int) -> str:
    """What a process of scrun's calls itself, such as ``guard``; of any other what ps shows; empty if it is gone."""
    called, scruns, own = _read(pid, "cmdline").partition("\0")[0].partition("scrun-")
    return own if scruns and not called else _read(pid, "comm").strip()


def catches(pid: int, signum: int) -> bool:
    """Whether the process has a handler for a signal; one that is gone has none."""
    masks = [line.split()[1] for line in _read(pid, "status").splitlines() if line.startswith("SigCgt:")]
    return bool(masks and int(masks[0], 16) & 1 << (signum - 1))


def descriptors(pid: int) -> dict[int, str] | None:
    """The open descriptors and what each is open on; ``None`` if that cannot be seen."""
    directory = f"/proc/{pid}/fd"
    found = {}
    try:
        names = os.listdir(directory)
    except OSError:
        return None
    for name in names:
        try:
            found[int(name)] = os.readlink(f"{directory}/{name}")
        except OSError:
            continue  # closed since
    return dict(sorted(found.items()))


def _stat(pid: int) -> list[str]:
    """The fields of proc(5) from the third on; none if it is gone."""
    words = _read(pid, "stat").rpartition(")")[2].split()
    return words if len(words) >= 20 else []


def _cpu(words: list[str]) -> float:
    return (int(words[11]) + int(words[12])) / _TICKS


def _read(*names: object) -> str:
    try:
        with open("/".join(("/proc", *map(str, names))), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
