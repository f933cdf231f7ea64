"""Allocations of salloc's, in which containers may run."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Runner


@contextlib.contextmanager
def allocation(runner: Runner, name: str, *words: str) -> Iterator[int]:
    """The number of a job, of a heterogeneous one its first."""
    options = (f"--job-name={name}", "--no-shell", "--quiet")
    colon = words.index(":") if ":" in words else len(words)
    parts = [*words[:colon], *((":", f"--job-name={name}", *words[colon + 1 :]) if colon < len(words) else ())]
    assert runner(["salloc", *options, *parts]).returncode == 0
    try:
        listed = runner(["squeue", "--noheader", f"--name={name}", "--format=%A", "--sort=i"]).stdout.split()
        yield min(int(number) for number in listed)
    finally:
        runner(["scancel", f"--name={name}"])
