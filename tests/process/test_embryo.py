"""The process that would be a container's anchor, when there is to be none."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import alive, read_proc
from tests.process.site import COMMAND, Site

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from tests.conftest import WaitUntil

SALLOC = """#!/bin/sh
echo asked >{asked}
exec sleep 60
"""
"""What ``create`` asks for Slurm's version: it waits for the answer."""


@pytest.fixture
def waiting(tmp_path: pathlib.Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """``scrun create`` in the midst of its checks, and its embryo."""
    site = Site(tmp_path)
    site.config()
    asked = tmp_path / "asked"
    os.mkfifo(asked)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/salloc").write_text(SALLOC.format(asked=asked))
    (tmp_path / "bin/salloc").chmod(0o755)
    environ = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "SLURM_CONF": site.environ["SLURM_CONF"]}
    process = subprocess.Popen(
        [*COMMAND, "--root", str(site.root), "create", "x"],
        cwd=site.bundle, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert asked.read_text() == "asked\n"
        pids = map(int, read_proc(process.pid, f"task/{process.pid}/children").split())
        salloc, embryo = sorted(pids, key=lambda pid: b"__main__" in read_proc(pid, "cmdline"))
        yield process, embryo
        os.kill(salloc, signal.SIGKILL)
    finally:
        process.kill()
        assert process.stdout is not None
        process.stdout.read()  # to its end: nobody holds it any more
        process.stdout.close()
        process.wait()


def test_what_cannot_be_imported_is_said(tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    site.config()
    program = f"import runpy, sys; sys.modules['zmq'] = None; runpy.run_path({COMMAND[-1]!r}, run_name='__main__')"
    done = subprocess.run(
        [*COMMAND[:-1], "-c", program, "--root", str(site.root), "create", "x"],
        cwd=site.bundle, env=site.environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("scrun's anchor process failed: ModuleNotFoundError: import of zmq halted")
    assert not (site.root / "x").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_goes_with_a_create_that_dies(
    waiting: tuple[subprocess.Popen[bytes], int], wait_until: WaitUntil, number: signal.Signals
) -> None:
    create, embryo = waiting
    assert alive(embryo)
    create.send_signal(number)
    create.wait(10)
    wait_until(lambda: not alive(embryo))


def test_a_create_that_is_told_to_end_does_not_leave_its_own_to_anybody(
    waiting: tuple[subprocess.Popen[bytes], int],
) -> None:
    """The engine takes whatever it can still read for words of ``create``."""
    create, embryo = waiting
    create.send_signal(signal.SIGINT)
    assert create.wait(10) == 130
    assert not os.path.exists(f"/proc/{embryo}")  # it has been waited for


def test_signals_do_not_reach_it_before_it_can_tell_of_them(
    waiting: tuple[subprocess.Popen[bytes], int],
) -> None:
    _, embryo = waiting
    os.kill(embryo, signal.SIGTERM)
    pending = next(line for line in read_proc(embryo, "status").splitlines() if line.startswith(b"ShdPnd:"))
    assert int(pending.split()[1], 16) & 1 << (signal.SIGTERM - 1)
    assert alive(embryo)
