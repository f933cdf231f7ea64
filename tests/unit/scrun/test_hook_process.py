"""One hook, run for real: input, output, end and time limit."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from actors.oci.hook_config import Hook
from scrun.hooks.process import TAIL, execute

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable

PATH = ("PATH=/usr/bin:/bin",)


def shell(script: str, timeout: int | None = None) -> Hook:
    return Hook("/bin/sh", ("sh", "-c", script), PATH, timeout)


def run(hook: Hook, state: bytes = b"{}") -> str:
    return execute(hook, state, "/")


def test_a_large_state_arrives_whole(tmp_path: pathlib.Path) -> None:
    state = os.urandom(3 << 20)
    assert not run(shell(f"cat > {tmp_path}/state"), state)
    assert (tmp_path / "state").read_bytes() == state


def test_a_state_that_nobody_reads() -> None:
    state = bytes(3 << 20)
    assert not run(shell("exit 0"), state)
    assert not run(shell("exec <&-; sleep 0.05"), state)
    assert run(shell("sleep 1000", 1), state) == "did not end within 1 s and was killed"


def test_much_output() -> None:
    assert not run(shell("head -c 3000000 /dev/zero"))
    said = run(shell("head -c 3000000 /dev/zero | tr '\\0' x; exit 1"))
    assert said.startswith("ended with exit status 1: xxx")
    assert len(said) < TAIL + 100


def test_the_last_words() -> None:
    assert run(shell("echo one; echo two >&2; echo; printf '\\033[1mthree'; kill -6 $$")) == (
        "was killed by signal 6: two;  [1mthree"
    )


def test_a_daemon_that_keeps_the_output_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    began = time.monotonic()
    assert not run(shell(f"sleep 1000 & echo $! > {tmp_path}/daemon", 100))
    assert time.monotonic() - began < 10
    daemon = int((tmp_path / "daemon").read_text())
    os.kill(daemon, signal.SIGKILL)  # it was left alone until now


def test_a_time_limit_beyond_all_bounds() -> None:
    assert not run(shell("exit 0", 10**30))


@pytest.mark.parametrize(("env", "seen"), [(None, "mine"), ((), ""), (("A=1",), "")])
def test_without_env_it_has_the_runtimes_environment(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, env: tuple[str, ...] | None, seen: str
) -> None:
    monkeypatch.setenv("WHOSE", "mine")
    assert not run(Hook("/bin/sh", ("sh", "-c", f'echo "$WHOSE" > {tmp_path}/out'), env))
    assert (tmp_path / "out").read_text() == f"{seen}\n"


def test_no_arguments_and_no_environment(tmp_path: pathlib.Path) -> None:
    script = tmp_path / "hook"
    script.write_text(f'#!/bin/sh\necho "$0" $# > {tmp_path}/out\n')
    script.chmod(0o755)
    assert not run(Hook(str(script), env=()))
    assert (tmp_path / "out").read_text() == f"{script} 0\n"


def test_a_folder_that_is_gone(tmp_path: pathlib.Path) -> None:
    assert not execute(shell(f"pwd > {tmp_path}/out"), b"", str(tmp_path / "gone"))
    assert (tmp_path / "out").read_text() == "/\n"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.parent, "it is not there"),
        (lambda path: path.mkdir(), "you may not"),
        (lambda path: path.touch(), "you may not"),
        (lambda path: (path.write_text("text"), path.chmod(0o755)), "it is no program"),
    ],
)
def test_what_cannot_be_run(tmp_path: pathlib.Path, make: Callable[[pathlib.Path], object], why: str) -> None:
    make(tmp_path / "hook")
    assert run(Hook(str(tmp_path / "hook"))) == f"could not be run: {why}"
