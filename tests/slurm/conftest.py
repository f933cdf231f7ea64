"""What the tests with Slurm and no engine share."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest

from tests.oci.screen import Screen
from tests.slurm.runtime import Runtime, of_user

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator


@pytest.fixture
def runtime(as_user: Any, wait_until: Any) -> Iterator[Runtime]:
    """scrun, run by the unprivileged user, with a place for bundles that the nodes see."""
    made = of_user(as_user, wait_until)
    yield made
    made.close()


@pytest.fixture
def filled(as_user: Any) -> Iterator[Callable[[], None]]:
    """node3 is taken; the function gives it back."""
    name = f"filler-{secrets.token_hex(4)}"
    words = ["salloc", "--quiet", "--no-shell", f"--job-name={name}", "--nodelist=node3", "--cpus-per-task=16"]
    assert as_user(words, timeout=90).returncode == 0

    def give_back() -> None:
        as_user(["scancel", f"--name={name}"])

    yield give_back
    give_back()


class _Engine:
    """What a screen needs of an engine."""

    command = "scrun"

    def __init__(self, runtime: Runtime) -> None:
        self.runner = runtime.runner
        self.processes: list[subprocess.Popen[bytes]] = []


@pytest.fixture
def screen(runtime: Runtime) -> Iterator[Screen]:
    engine: Any = _Engine(runtime)
    made = Screen(engine, runtime.wait_until)
    yield made
    for process in engine.processes:
        if process.poll() is None:
            process.kill()
        process.wait()
    made.close()
