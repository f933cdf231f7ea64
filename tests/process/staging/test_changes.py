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

from tests.process.staging.tree_programs import OPERATIONS, Program, at_random, programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(__file__).resolve().parents[3]
PRIVATE_MOUNTS = ("unshare", "--mount", "--propagation", "private")
MODE_OF_TWO_NAMES: Program = [("mode", 0, 0, 5)]
"""Of the two names that the beginning of all programs makes: the overlay takes them for two files from then on."""
SUBORDINATE = 100_000
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="owners, devices and mounts are root's")


def started(*prefix: str) -> Iterator[Callable[..., Any]]:
    argv = [*prefix, sys.executable, "-m", "tests.process.staging.overlay_worker"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        requests, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

        def ask(*words: Any) -> Any:
            print(json.dumps(words), file=requests, flush=True)
            return json.loads(answers.readline())

        yield ask
        requests.close()


@pytest.fixture
def worker() -> Iterator[Callable[..., Any]]:
    yield from started(*PRIVATE_MOUNTS)


@pytest.fixture
def worker_of_an_engine(wait_until: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """In a user namespace with subordinate ids, as that of rootless podman; it is root there, and nobody here."""
    with subprocess.Popen([*PRIVATE_MOUNTS, "--user", "sleep", "infinity"]) as holder:
        own = os.readlink("/proc/self/ns/user")
        wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/user") != own)
        for what in ("uid_map", "gid_map"):
            Path(f"/proc/{holder.pid}/{what}").write_text(f"0 {SUBORDINATE} 65536", encoding="ascii")
        enter = ("nsenter", "-t", str(holder.pid), "--user", "--mount", "--setuid", "0", "--setgid", "0")
        yield from started(*enter, f"--wd={CHECKOUT}", "env", "PYTHONDONTWRITEBYTECODE=1")
        holder.kill()


@root_only
@pytest.mark.parametrize("options", ["", ",userxattr", ",userxattr tmpfs"])
def test_whatever_a_program_does_on_an_overlay_comes_back(
    tmp_path: Path, worker: Callable[..., Any], options: str
) -> None:
    reached: Counter[str] = Counter()

    def comes_back(before: Program, program: Program, cut: int) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path, ignore_cleanup_errors=True) as place:
            done, found = worker("apart", place, options, before, program, cut)
            reached.update(done)
            assert not found

    settings(max_examples=10)(given(programs, programs, st.integers(0, 1 << 20))(comes_back))()
    for seed in range(20):
        comes_back(at_random(seed), at_random(seed + 1000), seed * 997)
    assert set(reached) == set(OPERATIONS) - {"socket"}
    assert min(reached.values()) >= 3, reached


@root_only
@pytest.mark.parametrize("options", ["", ",userxattr"])
def test_whatever_a_program_does_to_a_copy_comes_back_to_an_overlay(
    tmp_path: Path, worker: Callable[..., Any], options: str
) -> None:
    def comes_back(before: Program, program: Program) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path, ignore_cleanup_errors=True) as place:
            _, found = worker("into an overlay", place, options, before, program)
            assert not found

    comes_back([], MODE_OF_TWO_NAMES)
    settings(max_examples=10)(given(programs, programs)(comes_back))()
    for seed in range(10):
        comes_back(at_random(seed), at_random(seed + 1000))


@root_only
@pytest.mark.parametrize("options", [",userxattr", ",userxattr tmpfs"])
def test_the_rights_of_an_engines_namespace_suffice(worker_of_an_engine: Callable[..., Any], options: str) -> None:
    for seed in range(10):
        # Not below pytest's own directory, which is closed to all but root.
        with tempfile.TemporaryDirectory() as place:
            os.chown(place, SUBORDINATE, SUBORDINATE)
            done, found = worker_of_an_engine(
                "apart", place, options, at_random(seed), at_random(seed + 1000), seed * 997
            )
            assert not found
            assert "device" not in done
