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
    words = _read(pid, "stat").rpartition(")")[2].split()
    if len(words) < 20:
        return Measure()
    up = float(_read("uptime").split()[0]) - int(words[19]) / _TICKS
    cpu = (int(words[11]) + int(words[12])) / _TICKS
    shares = [line.split()[1] for line in _read(pid, "smaps_rollup").splitlines() if line.startswith("Pss:")]
    numbers = descriptors(pid)
    pss = int(shares[0]) if shares else None
    return Measure(round(max(0.0, up), 2), cpu, pss, None if numbers is None else len(numbers))


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


def _read(*names: object) -> str:
    try:
        with open("/".join(("/proc", *map(str, names))), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
