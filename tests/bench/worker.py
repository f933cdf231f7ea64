"""The half that measures, as the unprivileged user: prints each row as a line of JSON.

Called by ``tests.bench`` as ``python -m tests.bench.worker SECONDS quick|usual FIGURE…``.
"""

from __future__ import annotations

import json
import signal
import sys
import time

from .bench import Bench
from .figures import FIGURES
from .measure import become_subreaper

PATIENCE = 20.0
"""Seconds to wait for the end of other people's queue."""


def main(words: list[str]) -> int:
    """Measure; return 1 if a figure could not be measured or something was left behind."""
    seconds, mode, *names = words
    become_subreaper()
    # The parent's way to say: enough, clear up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bench = Bench(mode == "quick", time.monotonic() + float(seconds))
    failed = 0
    try:
        if waiting := _wait_for_others(bench):
            _say("failed", f"jobs of others wait in the queue ({waiting}): ours wait with them, and this shows below")
        for name in names:
            begin = time.monotonic()
            try:
                for row in FIGURES[name](bench):
                    _say("row", row.as_json())
            except Exception as error:
                failed = 1
                _say("failed", f"{name}: {type(error).__name__}: {error}")
            _say("took", f"{name} {time.monotonic() - begin:.1f} s")
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        left = bench.clean_up()
        if left:
            failed = 1
            _say("failed", "left behind, and now cleared away: " + ", ".join(left))
    return failed


def _wait_for_others(bench: Bench) -> str:
    end = time.monotonic() + PATIENCE
    while (waiting := bench.queue()) and time.monotonic() < end:
        time.sleep(0.5)
    return waiting


def _say(kind: str, what: object) -> None:
    print(json.dumps([kind, what]), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
