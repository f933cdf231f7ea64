"""Figure 5: many at once, how long each takes, and how many of them fail."""

from __future__ import annotations

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from .life import HAND, PARTS, by_hand, through_scrun
from .measure import FailedError, TooLongError
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .bench import Bench

NAME = "crowd"
COMMAND = ("sh", "-c", "exit 7")
"""So that a life which only looks like one is found out."""
NOTE = "each: from its create to the end of its delete, all begun together; failed: out of all of them"

Life = dict[str, float]


def measure(bench: Bench) -> Iterator[Row]:
    """1, 8 and 32 lives at once, with scrun and by hand in turn; of 8 so many that a late one in a hundred is seen."""
    for count, usual in ((1, 5), (8, 3)) if bench.quick else ((1, 5), (8, 38), (32, 3)):
        ours: dict[str, list[float]] = defaultdict(list)
        hand: list[float] = []
        failures: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for _ in range(bench.times(usual, 1)):
            for life in at_once(count, lambda: through_scrun(bench, *COMMAND, expected=7), failures[0]):
                for what, milliseconds in life.items():
                    ours[what].append(milliseconds)
            lives = at_once(count, partial(by_hand, bench, *COMMAND, expected=7), failures[1])
            hand += [life["hand"] for life in lives]
            bench.processes.reap_strays()
        yield Row(NAME, f"{count} at once: each", "ms", tuple(ours["scrun"]), HAND, tuple(hand), "", NOTE)
        for part in PARTS:
            yield Row(NAME, f"  {part}", "ms", tuple(ours[part]))
        yield _failed(count, len(ours["scrun"]), failures)


def _failed(count: int, good: int, failures: tuple[Counter[str], Counter[str]]) -> Row:
    bad, by_hand_bad = (float(counter.total()) for counter in failures)
    reasons = "; ".join(f"{times} x {reason}" for counter in failures for reason, times in counter.items())
    what = f"{count} at once: failed of {good + int(bad)}"
    return Row(NAME, what, "", (bad,), HAND, (by_hand_bad,), "0", reasons and f"failures: {reasons}")


def at_once(count: int, live: Callable[[], Life], failures: Counter[str]) -> list[Life]:
    """So many, and what those have taken that came to their end; why the others did not is counted."""

    def one(_: int) -> Life | str:
        try:
            return live()
        except TooLongError as error:
            return f"too long: {error}"
        except (FailedError, RuntimeError, OSError) as error:
            return str(error)[-300:]

    with ThreadPoolExecutor(count) as pool:
        results = list(pool.map(one, range(count)))
    failures.update(result for result in results if isinstance(result, str))
    return [result for result in results if not isinstance(result, str)]
