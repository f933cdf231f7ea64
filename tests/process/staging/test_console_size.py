"""The staged config.json tells the node's runtime how large the terminal is."""

import fcntl
import json
import os
import pty
import stat
import struct
import termios
from pathlib import Path

import pytest

from actors.staging import console_size


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps({"ociVersion": "1.0.2", "process": {"cwd": "/", "args": ["x"]}}))
    (tmp_path / "config.json").chmod(0o644)
    return tmp_path


def tell_from_terminal(bundle: Path, rows: int, columns: int) -> None:
    """Do it in a session whose terminal has that size."""
    child, master = pty.fork()
    if child == 0:
        try:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            console_size.tell(str(bundle))
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    os.close(master)
    assert status == 0


def told(bundle: Path) -> object:
    return json.loads((bundle / "config.json").read_text())["process"].get("consoleSize")


def test_the_size_of_the_sessions_terminal_is_told(bundle: Path) -> None:
    tell_from_terminal(bundle, 33, 111)
    assert told(bundle) == {"height": 33, "width": 111}
    assert stat.S_IMODE((bundle / "config.json").stat().st_mode) == 0o644
    tell_from_terminal(bundle, 34, 112)
    assert told(bundle) == {"height": 34, "width": 112}


def test_without_a_size_nothing_is_said(bundle: Path) -> None:
    tell_from_terminal(bundle, 0, 0)
    assert told(bundle) is None


def test_a_bundle_that_is_not_here_is_no_fault(bundle: Path) -> None:
    tell_from_terminal(bundle / "elsewhere", 33, 111)
