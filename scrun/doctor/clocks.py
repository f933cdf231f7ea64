"""Judges clocks: this host's against the controller's, and against a node's.

The other machine's time was read between two times of ours. What lies between them is no difference, however long the
answer took.
"""

import calendar
import time

from scrun.host import Host

from .finding import SHELL, Finding, fault, ok, warning

NOTICED = 5.0
"""Seconds from which a difference is worth a word: by then nothing keeps the clocks together."""
FATAL = 300.0
"""Seconds after which a credential of munge's is refused (munge(1), --ttl)."""

_SHOWN = "Configuration data as of "


def clock(host: Host) -> Finding:
    """Does the controller's clock agree with this host's?"""
    if host.settings.scrun.scheduler == "local":
        return ok("not needed: scheduler is local")
    answer, began, ended = host.shown
    theirs = read_shown(answer.text)
    if answer.status or theirs is None:
        return warning("not compared: the controller does not tell its time")
    return judge_clock(ahead(theirs, began, ended), "the controller")


def read_shown(text: str) -> float | None:
    """The controller's time out of what ``scontrol show config`` begins with, in UTC; nothing if it does not."""
    line = text.partition("\n")[0].strip()
    try:
        return calendar.timegm(time.strptime(line.removeprefix(_SHOWN), "%Y-%m-%dT%H:%M:%S"))
    except ValueError:
        return None


def ahead(theirs: float, began: float, ended: float) -> float:
    """By how many seconds their clock is ahead of ours at least; below 0: behind.

    Args:
        theirs: what it said, cut down to whole seconds.
        began: ours before they were asked.
        ended: ours afterwards.

    """
    if theirs > ended:
        return theirs - ended
    return min(theirs + 1 - began, 0)


def judge_clock(seconds: float, who: str) -> Finding:
    """Judge by how far their clock is ahead."""
    if abs(seconds) < NOTICED:
        return ok(f"that of {who} and this host's agree")
    said = f"that of {who} is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} this host's"
    mend = "systemctl enable --now chrony  # or: systemd-timesyncd, ntpd; on both"
    if abs(seconds) >= FATAL:
        return fault(f"{said}: munge's credentials are refused after {FATAL:.0f} s", SHELL, mend)
    return warning(f"{said}; from {FATAL:.0f} s on munge's credentials are refused", SHELL, mend)
