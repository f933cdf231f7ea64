"""Lengths of time and moments in words for people."""

import time

_UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def length(seconds: float) -> str:
    """``47 s``, ``3 min``, ``2 h 5 min``, ``3 d 4 h``: the two greatest units that say something."""
    rest = max(0, int(seconds))
    words = []
    for size, name in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            words.append(f"{count} {name}")
    return " ".join(words[:2]) or f"{rest} s"


def moment(when: str, today: str) -> str:
    """Slurm's ``2026-01-31T12:00:00`` as ``12:00``, or as ``2026-01-31 12:00`` if that is not today."""
    date, _, clock = when.partition("T")
    return clock[:5] if date == today else f"{date} {clock[:5]}"


def local(seconds: float) -> str:
    """A moment since the epoch in Slurm's form, in the time zone of the process."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))
