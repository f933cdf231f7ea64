"""Signals by name and number."""

from __future__ import annotations

import signal

import pytest

from proto import exit_codes as signals
from proto.errors import UsageError


def test_the_table_is_that_of_the_kernel() -> None:
    for name, number in signals.NUMBERS.items():
        assert getattr(signal, f"SIG{name}", number) == number
    assert {n.name.removeprefix("SIG") for n in signal.Signals if "RT" not in n.name} <= set(signals.NUMBERS)
    assert (signals.RTMIN, signals.RTMAX) == (signal.SIGRTMIN, signal.SIGRTMAX)


@pytest.mark.parametrize(
    ("word", "number"),
    [("9", 9), ("0", 0), ("64", 64), ("TERM", 15), ("SIGTERM", 15), ("sigterm", 15), ("Kill", 9), ("RTMIN", 34),
     ("RTMIN+3", 37), ("SIGRTMIN+3", 37), ("rtmax-1", 63), ("SIGRTMAX", 64), ("WINCH", 28)],
)  # fmt: skip
def test_signals(word: str, number: int) -> None:
    assert signals.parse(word) == number


@pytest.mark.parametrize(
    "word", ["", "65", "-1", "9999", "FOO", "SIG", "RTMIN-1", "RTMIN+31", "RTMAX+1", "RTMIN+", "²", "RTMIN+³", "1.5"]
)
def test_no_signals(word: str) -> None:
    with pytest.raises(UsageError, match="unknown signal"):
        signals.parse(word)
