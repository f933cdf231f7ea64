"""The launcher of a program that ``exec`` adds hears of the end of the process that started it, whatever ends that."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from actors.process.command import Command
from actors.slurm.enter import Entering
from actors.slurm.step_news import StepNews
from scrun.exec.launcher import Launcher

if TYPE_CHECKING:
    import pathlib

SCRIPT = b'trap "echo told; exit" USR2; echo ready; while :; do sleep 0.1; done'


def become_its_parent(words: pathlib.Path, *, child: bool) -> None:
    """In a forked process: start the launcher, whose output goes into a file, and wait to be killed."""
    launcher = Launcher(Entering(Command((b"/bin/sh", b"-c", SCRIPT), (b"PATH=/usr/bin:/bin",)), lambda _: StepNews()))
    with open(words, "wb") as file:
        launcher.start({1: file.fileno()})
    if child and not os.fork():
        launcher.let_go()
        time.sleep(60)
    signal.pause()


@pytest.mark.parametrize("child", [False, True])
def test_its_parent_is_killed(tmp_path: pathlib.Path, wait_until: Any, child: bool) -> None:
    """Also if there is a child of that one's, which carries what comes after the program's end."""
    words = tmp_path / "words"
    words.touch()
    pid = os.fork()
    if not pid:
        try:
            os.setpgid(0, 0)
            become_its_parent(words, child=child)
        finally:
            os._exit(1)
    try:
        wait_until(lambda: words.read_text() == "ready\n", 10, what="the launcher")
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        wait_until(lambda: words.read_text() == "ready\ntold\n", 10, what="the signal")
    finally:
        if child:
            os.killpg(pid, signal.SIGKILL)
