"""Which versions have known faults."""

from __future__ import annotations

import pytest

from scrun.doctor import versions

SLURMD, CRUN, SRUN, HANGS = versions.KNOWN


@pytest.mark.parametrize(
    ("known", "text", "has"),
    [
        (SLURMD, "22.05.8", True),
        (SLURMD, "24.11.5", True),
        (SLURMD, "slurm-wlm 25.05.8", True),
        (SLURMD, "25.05.9", False),
        (SLURMD, "25.05.10", False),
        (SLURMD, "25.11.7", True),
        (SLURMD, "25.11.8", False),
        (SLURMD, "26.05.0-0rc1", True),
        (SLURMD, "26.05.3", True),
        (SLURMD, "26.05.4", False),
        (SLURMD, "26.11.0", False),
        (SLURMD, "", False),
        (CRUN, "crun version 1.8.1", True),
        (CRUN, "crun version 1.29", True),
        (CRUN, "crun version 1.29.1", True),
        (CRUN, "crun version 1.30", False),
        (CRUN, "crun version 1.30.1", False),
        (CRUN, "crun version 2.0", False),
        (SRUN, "slurm 25.11.9", False),
        (SRUN, "slurm 26.05.1", True),
        (SRUN, "slurm 26.05.2", False),
        (HANGS, "slurm 26.05.2", True),
        (HANGS, "slurm 26.05.3", False),
    ],
)
def test_a_fault(known: versions.Known, text: str, has: bool) -> None:
    assert versions.has(known, text) == has


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("slurm-wlm 22.05.8", "22.05.8"),
        ("crun version 1.8.1", "1.8.1"),
        ("crun version UNKNOWN", ""),
        ("runc version 1.1.5+ds1", "1.1.5"),
        ("v1.2", ""),
    ],
)
def test_a_number(text: str, found: str) -> None:
    assert versions.number(text) == found


def test_every_fault_has_lines() -> None:
    for known in versions.KNOWN:
        finding = versions.judge_versions([(known.program, known.since or "0.1")])
        assert finding.level == "warning"
        assert known.source in finding.sentence
        assert known.mended[0] in "".join(finding.lines)


def test_two_versions_of_one_program() -> None:
    finding = versions.judge_versions([("slurmd", "24.11.5"), ("slurmd", "25.11.7"), ("slurmd", "26.05.4")])
    assert "slurmd 24.11.5" in finding.sentence
    assert "slurmd 25.11.7" in finding.sentence
    assert len(finding.lines) == 1


def test_none() -> None:
    finding = versions.judge_versions(
        [("srun", "slurm 26.05.5"), ("slurmd", "26.05.5"), ("runc", "runc version 1.0.0")]
    )
    assert finding == ("ok", "none is known of srun 26.05.5, slurmd 26.05.5, runc 1.0.0", "", ())
    assert versions.judge_versions([]).level == "ok"
