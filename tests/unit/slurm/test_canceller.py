"""What sacct says of who cancelled a job."""

from __future__ import annotations

import pytest

from actors.slurm import canceller


@pytest.mark.parametrize(
    ("text", "uid"),
    [
        ("CANCELLED by 1001\n", 1001),
        ("CANCELLED by 0\n", 0),
        ("CANCELLED\n", None),
        ("COMPLETED\n", None),
        ("RUNNING\n", None),
        ("", None),
    ],
)
def test_who_it_was(text: str, uid: int | None) -> None:
    assert canceller.read(text) == uid
