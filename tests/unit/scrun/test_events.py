"""The interval of ``events``, as Go writes durations."""

from __future__ import annotations

import pytest

from proto.errors import UsageError
from scrun.commands.events import duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("5s", 5), ("500ms", 0.5), ("1m30s", 90), ("1.5h", 5400), (".5s", 0.5), ("100µs", 1e-4)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "0", "0s", "5", "-1s", "s", "5x", "5s ", "nan", "1e3s"])
def test_no_durations(text: str) -> None:
    with pytest.raises(UsageError, match="duration interval must be greater than 0"):
        duration(text)
