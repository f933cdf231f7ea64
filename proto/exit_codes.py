"""Exit statuses and signals, by number and name, as kernels, engines and shells know them.

The module ``signal`` builds enumerations at import, which costs a hot verb a tenth of its time; these numbers
are those of every architecture that Slurm knows. On the path of the hot verbs.

======================  ===  ========================================================================
``INTERNAL``             70  scrun itself failed (sysexits.h: EX_SOFTWARE)
``REFUSED``             125  the program never ran, and is not to blame: no job, no staging, no step
``NOT_FOUND``           127  a command of ours could not be started
``INTERRUPTED``         130  SIGINT, by which a caller cancels
``KILLED``              137  SIGKILL: killed, or lost in a way that scrun cannot tell from it
======================  ===  ========================================================================
"""

from .errors import UsageError

INT, KILL, TERM, CHLD, CONT, STOP, URG, WINCH = 2, 9, 15, 17, 18, 19, 23, 28
RTMIN, RTMAX = 34, 64
FATAL = frozenset({1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, 25, 26, 27, 29, 30, 31, *range(32, 65)})
"""Signals that end a process which has no handler (signal(7))."""

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

INTERNAL = 70
REFUSED = 125
NOT_FOUND = 127
SIGNALLED = 128
"""Plus the number of the signal."""
INTERRUPTED = SIGNALLED + INT
KILLED = SIGNALLED + KILL


def of_wait_status(status: int) -> int:
    """The exit status that a shell makes of a wait status: 128 + N after signal N."""
    return status >> 8 & 0xFF if status & 0x7F == 0 else SIGNALLED + (status & 0x7F)


def signal_in(exit_code: int) -> int:
    """The signal that an exit status tells of, as shells, runtimes and srun tell it; 0 if it tells of none."""
    return exit_code - SIGNALLED if SIGNALLED < exit_code <= SIGNALLED + RTMAX else 0


def name(number: int) -> str:
    """A signal's name for a sentence: SIGTERM, or "signal 40" where there is none."""
    return next((f"SIG{word}" for word, known in NUMBERS.items() if known == number), f"signal {number}")


def parse(word: str) -> int:
    """A signal's number: ``9``, ``KILL``, ``SIGKILL``, ``RTMIN+3``, ``rtmax-1``.

    Raises:
        UsageError: no such signal.

    """
    upper = word.upper().removeprefix("SIG")
    number = -1
    if word.isascii() and word.isdigit() and len(word) < 4:
        number = int(word)
    elif upper in NUMBERS:
        number = NUMBERS[upper]
    elif upper[:5] in {"RTMIN", "RTMAX"}:
        number = _real_time(upper)
    if not 0 <= number <= RTMAX:
        raise UsageError(f'unknown signal "{word[:40]}"')
    return number


def _real_time(word: str) -> int:
    base, sign = (RTMIN, "+") if word[:5] == "RTMIN" else (RTMAX, "-")
    offset = word[5:]
    if not offset:
        return base
    if offset[0] != sign or not (offset[1:].isascii() and offset[1:].isdigit()) or len(offset) > 3:
        return -1
    number = base + int(sign + offset[1:])
    return number if RTMIN <= number <= RTMAX else -1
