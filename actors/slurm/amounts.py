"""How much a value of a job option asks for, so that a limit can be held against it."""

import re

from .option_table import BY_NAME, NUMBER
from .time_text import INFINITE, INVALID, time_str2mins

UNBOUNDED = float("inf")
TIMES = frozenset({"delay-boot", "time", "time-min"})
SIZES = frozenset({"mem", "mem-per-cpu", "mem-per-gpu", "tmp"})
COUNTS = frozenset({"cores-per-socket", "nodes", "priority", "sockets-per-node"})
TYPED_COUNTS = frozenset({"gpus", "gpus-per-node", "gpus-per-socket", "gpus-per-task"})
_SIZE = re.compile(r"(\d+(?:\.\d+)?)([KMGT]?)B?", re.IGNORECASE)
_MIB = {"K": 1 / 1024, "": 1.0, "M": 1.0, "G": 1024.0, "T": 1024.0 * 1024.0}
_NUMBER = re.compile(r"\d+k?")


def amount(name: str, value: str) -> float | None:
    """Minutes, MiB or a number, as the option has it; of a range the most. ``None`` for what has no order.

    Args:
        name: of the option.
        value: of the option. No time at all and no memory at all mean all that there is (salloc(1)).

    """
    if name in TIMES:
        minutes = time_str2mins(value)
        return None if minutes == INVALID else UNBOUNDED if minutes in {INFINITE, 0} else float(minutes)
    if name in SIZES:
        found = _SIZE.fullmatch(value)
        return (float(found[1]) * _MIB[found[2].upper()] or UNBOUNDED) if found else None
    if name in COUNTS or BY_NAME[name].kind == NUMBER:
        # "2-4", "1,3-5", "1-15:4" (a step is no count)
        words = re.split(r"[-,]", re.sub(r":\d+", "", value))
        return max(map(_number, words)) if all(map(_NUMBER.fullmatch, words)) else None
    if name in TYPED_COUNTS:
        words = [word.rpartition(":")[2] for word in value.split(",")]
        return sum(map(_number, words)) if all(map(_NUMBER.fullmatch, words)) else None
    return None


def _number(word: str) -> float:
    return float(word[:-1]) * 1024 if word.endswith("k") else float(word)
