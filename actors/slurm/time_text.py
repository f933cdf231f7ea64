"""Slurm's way to write a length of time."""

import re

INFINITE = -1
INVALID = -2

_DAYS = re.compile(r"(\d+)-(?:(\d+)(?::(\d+)(?::(\d+))?)?)?")
_CLOCK = re.compile(r"(\d+):(\d+):(\d+)")
_MINUTES = re.compile(r"(\d+)(?::(\d+))?")


def time_str2mins(text: str) -> int:
    """Return the minutes, rounded up; -1 for no limit; -2 for what cannot be read.

    The forms are ``D-[H[:M[:S]]]``, ``H:M:S``, ``M[:S]``, ``-1``, ``INFINITE`` and ``UNLIMITED``.
    """
    if text.lower() in {"-1", "infinite", "unlimited"}:
        return INFINITE
    if found := _DAYS.fullmatch(text):
        days, hours, minutes, seconds = (int(word or 0) for word in found.groups())
    elif found := _CLOCK.fullmatch(text):
        days = 0
        hours, minutes, seconds = (int(word) for word in found.groups())
    elif found := _MINUTES.fullmatch(text):
        days = hours = 0
        minutes, seconds = (int(word or 0) for word in found.groups())
    else:
        return INVALID
    return -(-(((days * 24 + hours) * 60 + minutes) * 60 + seconds) // 60)
