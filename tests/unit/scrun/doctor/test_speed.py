"""The program that measures a directory, and what the doctor makes of its words."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from scrun.doctor import speed

if TYPE_CHECKING:
    import pathlib


def measured(directory: pathlib.Path) -> dict[str, str]:
    words = ["/bin/sh", "-c", speed.SCRIPT, "sh", str(directory)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return dict(line.split("=") for line in done.stdout.splitlines())


def test_a_directory_is_measured_and_left_as_it_was(tmp_path: pathlib.Path) -> None:
    values = measured(tmp_path)
    assert set(values) == {"files", "bytes"}
    assert all(int(value) > 0 for value in values.values())
    assert "small files/s" in speed.judge_speed(values).sentence
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there(tmp_path: pathlib.Path) -> None:
    assert measured(tmp_path / "none") == {}
    assert speed.judge_speed({}).level == "warning"


def test_the_program_writes_what_is_said() -> None:
    assert f"-lt {speed.FILES} ]" in speed.SCRIPT
    assert f"bs=1048576 count={speed.MEBIBYTES} " in speed.SCRIPT


@pytest.mark.parametrize(
    ("files", "large", "level", "words"),
    [
        ("200000000", "160000000", "ok", "1000 small files/s, 100 MiB/s"),
        ("2000000000", "1600000000", "ok", "100 small files/s, 10 MiB/s"),
        ("2100000000", "160000000", "warning", "95 small files/s"),
        ("200000000", "1700000000", "warning", "9 MiB/s"),
        ("0", "0", "ok", "small files/s"),
        ("nothing", "160000000", "warning", "not measured"),
    ],
)
def test_a_speed(files: str, large: str, level: str, words: str) -> None:
    finding = speed.judge_speed({"files": files, "bytes": large, "end": "yes"})
    assert finding.level == level
    assert words in finding.sentence
