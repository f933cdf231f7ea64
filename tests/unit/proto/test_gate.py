"""The gate between ``create``, whose hooks run, and staging: real processes, a real lock."""

from __future__ import annotations

import pathlib
import select
import signal
import subprocess
import sys
from typing import Any

from proto.host import gate

CLOSES = """
import os, sys
from proto.host import gate
gate.close(sys.argv[1])
child = os.fork()
if child == 0:
    os.close(0)  # a child of his has no part in the lock, whatever it does
    os._exit(0)
os.waitpid(child, 0)
print("closed", flush=True)
sys.stdin.read()
"""
WAITS = """
import sys
from proto.host import gate
print("before", flush=True)
gate.wait(sys.argv[1])
print("through", flush=True)
"""


def python(text: str, path: pathlib.Path) -> subprocess.Popen[str]:
    argv = [sys.executable, "-c", text, str(path)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def stands_before_a_lock(pid: int) -> bool:
    lines = pathlib.Path("/proc/locks").read_text().splitlines()
    return any(words[1] == "->" and str(pid) in words for words in map(str.split, lines))


def test_who_waits_goes_through_when_the_other_has_died(tmp_path: pathlib.Path, wait_until: Any) -> None:
    path = tmp_path / "file"
    path.touch()
    with python(CLOSES, path) as closes:
        assert line(closes) == "closed"
        with python(WAITS, path) as waits:
            assert line(waits) == "before"
            # It stands in fcntl(2), not before it: the kernel lists who waits below the lock's holder.
            wait_until(lambda: stands_before_a_lock(waits.pid))
            assert waits.stdout
            assert not select.select([waits.stdout], (), (), 0)[0]
            closes.send_signal(signal.SIGKILL)
            assert line(waits) == "through"


def test_a_gate_that_is_not_there_is_open(tmp_path: pathlib.Path) -> None:
    gate.wait(str(tmp_path / "nothing"))
