"""Reading what the interpreter's fault handler writes into a log."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from scrun.console.stack import read

if TYPE_CHECKING:
    import pathlib


def test_the_frames_of_all_threads_are_read_and_nothing_else(tmp_path: pathlib.Path) -> None:
    import faulthandler

    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        done.wait()

    thread = threading.Thread(target=work)
    thread.start()
    begun.wait()
    path = tmp_path / "log"
    with path.open("w") as file:
        file.write('2026-01-01T00:00:00.000Z info state:   File "nowhere", line 1 in this\n')
        file.flush()
        faulthandler.dump_traceback(file, all_threads=True)
    done.set()
    thread.join()
    frames = read(path.read_text())
    assert len({frame[0] for frame in frames}) >= 2
    functions = [frame[3] for frame in frames if frame[1] == __file__]
    assert functions.count("work") == 1
    assert "test_the_frames_of_all_threads_are_read_and_nothing_else" in functions
    assert all(line > 0 for _, _, line, _ in frames)
    assert "this" not in functions


def test_a_line_of_the_log_is_no_frame() -> None:
    assert read('  File "x.py", line 3 in f\nsomething else\n') == []
    assert read('Thread 0x1 (most recent call first):\n  File "x.py", line 3 in cut sho') == []
