"""All figures, in the order of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import adding, crowd, images, life, many, memory, peer, program, screen, tap, throughput, verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .bench import Bench
    from .rows import Row

FIGURES: dict[str, Callable[[Bench], Iterator[Row]]] = {
    module.NAME: module.measure
    for module in (verbs, program, adding, life, throughput, memory, crowd, many, images, tap, screen, peer)
}
