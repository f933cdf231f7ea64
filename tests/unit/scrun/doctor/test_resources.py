"""What the doctor says of limits that podman drops."""

from __future__ import annotations

import re

import pytest

from actors.slurm.option_table import BY_NAME
from scrun.doctor import resources


@pytest.mark.parametrize(
    ("uid", "unified", "level"), [(5, True, "ok"), (0, False, "ok"), (0, True, "ok"), (5, False, "warning")]
)
def test_who_loses_limits(uid: int, unified: bool, level: str) -> None:
    assert resources.judge(uid, unified=unified).level == level


def test_the_annotations_that_are_named_are_options() -> None:
    sentence = resources.judge(5, unified=False).sentence
    named = re.findall(r"--annotation scrun\.([\w-]+)=", sentence)
    assert named == ["cpus-per-task", "mem"]
    assert set(named) <= set(BY_NAME)
