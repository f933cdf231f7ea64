"""What salloc says about the job that it asks for (salloc(1); texts recorded from 22.05)."""

import os

from .messages import judge
from .scheduler import JobNews

GRANTED = "granted job allocation "
QUEUED = ("pending job allocation ", "job ")
"""``Pending job allocation N`` and ``job N queued and waiting for resources``."""
REVOKED = ("job allocation ", " has been revoked")
"""``Job allocation N has been revoked.``; salloc then goes on waiting for its command."""
HOPELESS = ("cannot stat file",)
"""salloc goes on trying for a minute; ``create`` shall not wait for that."""


def read(text: str, status: int | None) -> JobNews:
    """Read all that salloc has said so far.

    Args:
        text: its stderr. The last line counts only if it is complete, as salloc may be writing it.
        status: its wait status, ``None`` while it runs.

    """
    lines = text.splitlines() if status is not None else text.split("\n")[:-1]
    job_id = granted = 0
    revoked = False
    for line in lines:
        low = line.lower().removeprefix("salloc: ").strip()
        if low.startswith(GRANTED):
            job_id = granted = _number(low[len(GRANTED) :])
        elif low.startswith(QUEUED[0]):
            job_id = _number(low[len(QUEUED[0]) :]) or job_id
        elif low.startswith(QUEUED[1]) and "queued and waiting" in low:
            job_id = _number(low[len(QUEUED[1]) :]) or job_id
        revoked = revoked or (low.startswith(REVOKED[0]) and REVOKED[1] in low)
    if granted and revoked:
        return JobNews("revoked", granted)
    if granted and (status is None or status == 0 or os.WIFSIGNALED(status)):
        return JobNews("granted", granted)  # who is killed gives nothing back
    if status is None:
        low = text.lower()
        if any(mark in low for mark in HOPELESS):
            return _refused(lines, job_id, None)
        return JobNews("queued", job_id) if job_id else JobNews("none")
    return _refused(lines, job_id, status)


def _refused(lines: list[str], job_id: int, status: int | None) -> JobNews:
    verdict = judge(lines)
    if verdict is not None:
        return JobNews("refused", job_id, "", verdict.sentence, verdict.transient, verdict.away)
    return JobNews("refused", job_id, "", f"salloc ended (status {status}) and gave neither a job nor a reason")


def _number(text: str) -> int:
    digits = text.split(maxsplit=1)[0].rstrip(".") if text.strip() else ""
    return int(digits) if digits.isascii() and digits.isdigit() else 0
