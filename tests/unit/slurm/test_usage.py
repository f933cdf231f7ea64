"""sstat's answers, as recorded from Slurm 22.05."""

from __future__ import annotations

import pytest

from actors.slurm.usage import Usage, data, read

ONE = "2.0|1|cpu=00:01:05,energy=0,fs/disk=6291480909,mem=3144K,pages=0,vmem=5512K|cpu=00:01:05,mem=4.5M,pages=0\n"
# jobacct_gather/none
NOTHING = "1.0|0||\n"


def test_a_step_of_one_task() -> None:
    usage = read(ONE, "2.0")
    assert usage == Usage(65, 3144 << 10, 4608 << 10)
    assert data(usage) == {
        "cpu": {"usage": {"total": 65_000_000_000}},
        "memory": {"usage": {"usage": 3144 << 10, "max": 4608 << 10}},
    }


def test_peaks_of_several_tasks_do_not_add_up() -> None:
    assert read(ONE.replace("|1|", "|4|"), "2.0") == Usage(65, 3144 << 10, None)


def test_where_nobody_measures_there_are_no_numbers() -> None:
    usage = read(NOTHING, "1.0")
    assert usage == Usage()
    assert data(usage) == {}


@pytest.mark.parametrize("text", ["", "sstat: error: couldn't get steps for job 999\n", ONE, "2.1|1|x", "|||"])
def test_another_step_or_none(text: str) -> None:
    assert read(text, "2.1") is None


@pytest.mark.parametrize(
    ("word", "seconds"),
    [("00:00:01", 1), ("1-02:03:04", 93784), ("05:06", 306), ("00:00:01.500", 1), ("x", None), ("", None)],
)
def test_times(word: str, seconds: int | None) -> None:
    usage = read(f"2.0|1|cpu={word}|\n", "2.0")
    assert usage is not None
    assert usage.cpu == seconds
