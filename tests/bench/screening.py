"""What the screen costs: prints milliseconds and bytes as JSON. ``screening.py CHECKOUT TIMES``.

A program of its own, as the bench has no part of scrun on its path.
"""

from __future__ import annotations

import fcntl
import json
import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

COUNT = 500
WRITING = {"none of which writes": 0, "two thirds of which write": 3}
"""Of so many containers one is queued, and the others write; 0: nobody does."""
SECONDS = 5
"""Of one value."""
SETTLED = 8
"""Seconds until all are read, heard and drawn."""
TICKS = os.sysconf("SC_CLK_TCK")


def play(root: str, writing: int) -> None:
    """Be all containers, for ever."""
    from scrun.tap.crowds import allow_descriptors
    from tests.unit.scrun.screen.stage import QUEUED, RUNNING, Stage

    allow_descriptors()
    stage = Stage(pathlib.Path(root))
    for number in range(COUNT):
        state = RUNNING if writing and number % writing else QUEUED
        stage.begins(f"{number:064x}", time.time() - number, **state)
    moved = 0
    while True:
        begin = time.monotonic()
        moved += 10_000
        for played in stage.played.values():
            played.is_told()
            if played.container.step == "running":
                played.moves(moved, moved)
        time.sleep(max(0.0, 1 - (time.monotonic() - begin)))


def spent(pid: int) -> float:
    """Milliseconds of a processor that a process has had."""
    words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) * 1000 / TICKS


def heard(terminal: int, seconds: float) -> int:
    """Bytes that the terminal gets in so many seconds."""
    count, end = 0, time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([terminal], [], [], left)[0]:
            count += len(os.read(terminal, 1 << 16))
    return count


def look(checkout: str, root: str, times: int) -> dict[str, list[float]]:
    """Be the terminal."""
    terminal, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-IS", f"{checkout}/scrun/__main__.py", "--root", root, "console", "--top"]
    environ = os.environ | {"TERM": "xterm-256color", "SCRUN_SCHEDULER": "local"}
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=environ, start_new_session=True)
    os.close(slave)
    found: dict[str, list[float]] = {"processor": [], "terminal": []}
    try:
        heard(terminal, SETTLED)
        for _ in range(times):
            before = spent(process.pid)
            found["terminal"].append(heard(terminal, SECONDS) / SECONDS)
            found["processor"].append((spent(process.pid) - before) / SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
    return found


def main(checkout: str, times: int) -> None:
    """Measure with silent containers, then with such as write."""
    sys.path.insert(0, checkout)
    found = {}
    for what, writing in WRITING.items():
        with tempfile.TemporaryDirectory() as directory:
            child = os.fork()
            if not child:
                play(directory, writing)
            try:
                found[what] = look(checkout, directory, times)
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
