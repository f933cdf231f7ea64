"""The levels of what a stager says, numbered as ``slurm.log`` numbers them."""

from collections.abc import Callable
from enum import IntEnum


class Level(IntEnum):
    """Level of a message; higher is more talkative."""

    ERROR = -1
    INFO = 0
    VERBOSE = 1
    DEBUG = 2
    DEBUG2 = 3
    DEBUG3 = 4
    DEBUG4 = 5


Log = Callable[[int, str], None]
