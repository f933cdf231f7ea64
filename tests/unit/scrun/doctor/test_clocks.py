"""What the doctor makes of another machine's clock."""

from __future__ import annotations

import pytest

from scrun.doctor import clocks


@pytest.mark.parametrize(
    ("theirs", "ahead"),
    [
        (100, 0),
        (99, 0),  # 99.9, cut down
        (110, 0),
        (111, 1),
        (411, 301),
        (98, -1),
        (0, -99),
    ],
)
def test_what_lies_between_question_and_answer_is_no_difference(theirs: float, ahead: float) -> None:
    assert clocks.ahead(theirs, 100, 110) == ahead


@pytest.mark.parametrize(
    ("seconds", "level", "words"),
    [
        (0, "ok", "agree"),
        (4.9, "ok", "agree"),
        (5, "warning", "5 s ahead of this host's; from 300 s on"),
        (-299, "warning", "299 s behind"),
        (300, "fault", "300 s ahead"),
        (-3600, "fault", "3600 s behind this host's: munge's credentials are refused"),
    ],
)
def test_a_difference(seconds: float, level: str, words: str) -> None:
    finding = clocks.judge_clock(seconds, "n1")
    assert (finding.level, bool(finding.lines)) == (level, level != "ok")
    assert words in finding.sentence


def test_the_controllers_time() -> None:
    assert clocks.read_shown("Configuration data as of 1970-01-02T00:00:01\nx = y\n") == 86401
    assert clocks.read_shown("slurm_load_ctl_conf error: Unable to contact slurm controller\n") is None
    assert clocks.read_shown("") is None
