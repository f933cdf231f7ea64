import pytest

from scrun.report.durations import length, moment


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "0 s"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (7500, "2 h 5 min"),
        (86400, "1 d"), (90061, "1 d 1 h"), (86400 + 120, "1 d 2 min"),
    ],
)  # fmt: skip
def test_a_length_has_its_two_greatest_units(seconds: float, words: str) -> None:
    assert length(seconds) == words


def test_a_moment_has_its_day_if_that_is_another() -> None:
    assert moment("2026-11-29T22:10:05", "2026-11-29") == "22:10"
    assert moment("2026-11-30T08:00:00", "2026-11-29") == "2026-11-30 08:00"
