"""Figure 7: what the tap costs the state actor, while nobody listens and while somebody does."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import TYPE_CHECKING

from . import publishing
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench

NAME = "tap"
NOTE = "processor time of the state actor alone; a container says one to three messages a second"


def measure(bench: Bench) -> Iterator[Row]:
    """Each value is of 100,000 messages in a row."""
    # The interpreter is that of the checkout, which is where the tap is.
    checkout = str(pathlib.Path(sys.executable).parents[2])
    run = bench.good(sys.executable, publishing.__file__, checkout, str(bench.times(10, 3)), limit=120)
    found = json.loads(run.output)
    yield Row(
        NAME, f"{publishing.COUNT:,} messages that nobody hears", "ms", tuple(found["nobody"]), "with a listener",
        tuple(found["somebody"]), "not measurable", NOTE,
    )  # fmt: skip
