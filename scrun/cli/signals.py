"""Signals by number and name, as engines and people write them.

The module ``signal`` builds enumerations at import, which costs a hot verb a tenth of its time; these numbers
are those of every architecture that Slurm knows.
"""

from proto.errors import UsageError

# fmt: off
NUMBERS = {
    name: number
    for number, name in enumerate(
        ("HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE",
         "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
         "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"),
        1,
    )
} | {"IOT": 6, "CLD": 17, "POLL": 29}
# fmt: on

KILL, TERM, WINCH, INT, CONT, STOP = 9, 15, 28, 2, 18, 19
RTMIN, RTMAX = 34, 64


def parse(word: str) -> int:
    """A signal's number: ``9``, ``KILL``, ``SIGKILL``, ``RTMIN+3``, ``rtmax-1``.

    Raises:
        UsageError: no such signal.

    """
    name = word.upper().removeprefix("SIG")
    number = -1
    if word.isascii() and word.isdigit() and len(word) < 4:
        number = int(word)
    elif name in NUMBERS:
        number = NUMBERS[name]
    elif name[:5] in {"RTMIN", "RTMAX"}:
        number = _real_time(name)
    if not 0 <= number <= RTMAX:
        raise UsageError(f'unknown signal "{word[:40]}"')
    return number


def _real_time(name: str) -> int:
    base, sign = (RTMIN, "+") if name[:5] == "RTMIN" else (RTMAX, "-")
    offset = name[5:]
    if not offset:
        return base
    if offset[0] != sign or not (offset[1:].isascii() and offset[1:].isdigit()) or len(offset) > 3:
        return -1
    number = base + int(sign + offset[1:])
    return number if RTMIN <= number <= RTMAX else -1
