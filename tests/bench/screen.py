"""Figure 8: what ``scrun console --top`` costs with 500 containers on a terminal of 80x24."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import TYPE_CHECKING

from . import screening
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench

NAME = "screen"
NOTE = (
    f"of a processor, and to the terminal, in each second; the {screening.COUNT} containers are played: real state "
    "files and taps of one process; of those that write each passes bytes on every second"
)


def measure(bench: Bench) -> Iterator[Row]:
    """Each value is of five seconds."""
    checkout = str(pathlib.Path(sys.executable).parents[2])
    run = bench.good(sys.executable, screening.__file__, checkout, str(bench.times(6, 2)), limit=180)
    found = json.loads(run.output)
    for what, values in found.items():
        name = f"{screening.COUNT} containers, {what}"
        yield Row(NAME, f"{name}: processor", "ms", tuple(values["processor"]), note=NOTE)
        yield Row(NAME, f"{name}: terminal", "bytes", tuple(values["terminal"]))
