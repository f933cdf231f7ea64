"""The upper directory of an overlay, as a tar, makes of the tree below what the program saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.staging.tree_programs import OPERATIONS, Program, at_random, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).resolve().parents[3]
PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation", "private")
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="owners, devices and mounts are root's")


@pytest.fixture
def worker() -> Iterator[Callable[..., Any]]:
    argv = [*PRIVATE_MOUNTS, sys.executable, "-m", "tests.unit.staging.overlay_worker"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        requests, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

        def ask(*words: Any) -> Any:
            print(json.dumps(words), file=requests, flush=True)
            return json.loads(answers.readline())

        yield ask
        requests.close()


@root_only
@pytest.mark.parametrize("options", ["", ",userxattr", ",userxattr tmpfs"])
def test_whatever_a_program_does_on_an_overlay_comes_back(
    tmp_path: Path, worker: Callable[..., Any], options: str
) -> None:
    reached: Counter[str] = Counter()

    def comes_back(before: Program, program: Program, cut: int) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path, ignore_cleanup_errors=True) as place:
            done, found = worker(place, options, before, program, cut)
            reached.update(done)
            assert not found

    settings(max_examples=10)(given(programs, programs, st.integers(0, 1 << 20))(comes_back))()
    for seed in range(20):
        comes_back(at_random(seed), at_random(seed + 1000), seed * 997)
    assert set(reached) == set(OPERATIONS) - {"socket"}
    assert min(reached.values()) >= 3, reached
