"""What a program did to the copy of a tree comes back exactly."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings

from actors.staging.tree.mirror import mirror
from tests.unit.staging.tree_programs import BEGINNING, OPERATIONS, Program, at_random, describe, programs, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="owners, devices and capabilities are root's")


def copied(original: str, copy: str) -> int:
    """Copy a tree; return the ctime of a file that was made later than all that is in it."""
    subprocess.run(["cp", "-a", original, copy], check=True)
    newest = max(
        os.lstat(os.path.join(at, name)).st_ctime_ns for at, ds, fs in os.walk(copy) for name in (*ds, *fs, "")
    )
    while True:
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(copy)) as file:
            if (now := os.fstat(file.fileno()).st_ctime_ns) > newest:
                return now


@pytest.mark.parametrize("known", [True, False], ids=["since", "all"])
def test_whatever_a_program_does_comes_back(tmp_path: Path, known: bool) -> None:
    reached: Counter[str] = Counter()

    def comes_back(before: Program, program: Program) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path, ignore_cleanup_errors=True) as place:
            original, copy = f"{place}/original", f"{place}/copy"
            os.mkdir(original)
            run(original, BEGINNING + before, Counter())
            since = copied(original, copy)
            run(copy, program, reached)
            count = mirror(copy, original, frozenset(), since if known else 0)
            assert (count.failure, count.refusal) == ("", "")
            assert describe(original) == describe(copy)
            again = mirror(copy, original, frozenset(), since if known else 0)
            assert (again.copied, again.changed, again.removed, again.failure) == (0, 0, 0, "")

    settings(max_examples=10)(given(programs, programs)(comes_back))()
    for seed in range(20):
        comes_back(at_random(seed), at_random(seed + 1000))
    assert set(reached) == set(OPERATIONS)
    assert min(reached.values()) >= 3, reached
