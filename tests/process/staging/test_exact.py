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
from tests.process.staging.tree_programs import BEGINNING, OPERATIONS, TIME, Program, at_random, describe, programs, run

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


def files(top: str, mtime: int, **texts: str) -> None:
    for name, text in texts.items():
        path = f"{top}/{name.replace('_', '/')}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        os.utime(path, ns=(mtime, mtime))


def test_directories_that_changed_their_names_are_looked_into(tmp_path: Path) -> None:
    """Nothing below them has a new change time, and all sizes and times are the same, as Nix has it."""
    original, copy = f"{tmp_path}/original", f"{tmp_path}/copy"
    files(original, TIME, one_deep_file="aaaa", two_deep_file="bbbb", three="cccc")
    since = copied(original, copy)
    os.rename(f"{copy}/one", f"{copy}/swap")
    os.rename(f"{copy}/two", f"{copy}/one")
    os.rename(f"{copy}/swap", f"{copy}/two")
    assert os.stat(f"{copy}/one/deep/file").st_ctime_ns < since
    count = mirror(copy, original, frozenset(), since)
    assert (count.copied, count.removed) == (2, 0)
    assert describe(original) == describe(copy)


def test_two_files_that_were_one_are_two_although_they_look_the_same(tmp_path: Path) -> None:
    original, copy = f"{tmp_path}/original", f"{tmp_path}/copy"
    files(original, TIME, a="same")
    os.link(f"{original}/a", f"{original}/b")
    copied(original, copy)
    os.unlink(f"{copy}/b")
    files(copy, TIME, b="same")
    mirror(copy, original, frozenset())
    assert not os.path.samefile(f"{original}/a", f"{original}/b")
    assert describe(original) == describe(copy)


def test_a_file_that_has_lost_a_name_does_not_change_under_that_name(tmp_path: Path) -> None:
    original, copy = f"{tmp_path}/original", f"{tmp_path}/copy"
    files(original, TIME, a="same")
    os.link(f"{original}/a", f"{original}/mounted")
    files(copy, TIME, a="same", mounted="")
    os.chmod(f"{copy}/a", 0o4700)
    mirror(copy, original, frozenset({"mounted"}))
    assert [os.stat(f"{original}/{name}").st_mode & 0o7777 for name in ("a", "mounted")] == [0o4700, 0o644]


def test_a_whole_second_is_a_time_where_it_is_known_that_a_program_set_it(tmp_path: Path) -> None:
    original, copy = f"{tmp_path}/original", f"{tmp_path}/copy"
    files(original, TIME, directory_a="same")
    os.utime(f"{original}/directory", ns=(TIME, TIME))
    since = copied(original, copy)
    whole = TIME // 10**9 * 10**9
    for name in ("directory/a", "directory"):
        os.utime(f"{copy}/{name}", ns=(whole, whole))
    mirror(copy, original, frozenset(), since)
    assert [os.stat(f"{original}/{name}").st_mtime_ns for name in ("directory/a", "directory")] == [whole, whole]
