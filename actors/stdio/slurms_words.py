"""What slurmstepd itself says in the middle of a container's standard error: that the step, or the job, is cancelled.

It comes in one piece, as srun writes it into the pipe, wherever the program is in its own line. Why the container ended
is told by scrun, once: in the log, and as the last line where that was not the program's doing (``Drain.epitaph``).
"""

import re

_LINE = re.compile(
    rb"(?:slurmstepd(?:-[\w.-]+)?:|\[20\d\d-[\dT:.-]{1,30}\]) error: \*\*\* "
    rb"(?:STEP|JOB) \S+ ON [^\n]{0,200} CANCELLED AT [^\n]{0,200}\*\*\*\n"
)
_BEGINS = (b"slurmstepd", b"[20")
"""With 26.05 a line of slurmstepd's begins with the time, as in its log."""
LONGEST = 512
"""Bytes of such a line at most."""


def sift(data: bytes, *, more: bool) -> tuple[bytes, bytes]:
    """Take these lines out.

    Args:
        data: what was read.
        more: whether there is more to be read at once, so that the end may be half of such a line.

    Returns:
        What is the program's, and the end of it, if that may be the beginning of such a line.

    """
    rest = _LINE.sub(b"", data)
    if not more:
        return rest, b""
    at = _begins(rest)
    return rest[:at], rest[at:]


def _begins(data: bytes) -> int:
    """Where a line of slurmstepd's may begin whose end is not there."""
    return min(_begins_with(begin, data) for begin in _BEGINS)


def _begins_with(begin: bytes, data: bytes) -> int:
    tail = max(0, len(data) - LONGEST)
    at = data.rfind(begin, tail)
    if at >= 0:
        return at if b"\n" not in data[at:] else len(data)
    for count in range(len(begin) - 1, 0, -1):
        if data.endswith(begin[:count]):
            return len(data) - count
    return len(data)
