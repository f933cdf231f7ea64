"""Runs commands and takes their time: from before posix_spawn until wait4, with nothing in between."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import threading
import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PR_SET_CHILD_SUBREAPER = 36
NOTHING: Mapping[str, str] = MappingProxyType({})
SAID = 2000
"""Bytes of a command's last words that are kept."""


class FailedError(Exception):
    """A command did not do what it should."""


class TooLongError(Exception):
    """A command, or all of it, took longer than it may."""


@dataclass(frozen=True, slots=True)
class Run:
    """A command that has ended. ``status``: its exit status, or minus the signal. ``said``: on stderr."""

    seconds: float
    status: int
    output: bytes
    said: str

    @property
    def milliseconds(self) -> float:
        return self.seconds * 1000


def good(argv: Sequence[str], run: Run) -> Run:
    """The run, if it ended with 0.

    Raises:
        FailedError: it did not.

    """
    if run.status:
        raise FailedError(f"{' '.join(argv)}: exit status {run.status}: {run.said.strip()}")
    return run


def become_subreaper() -> None:
    """Have anchors and guards, whose parents go, as children of this process, as conmon does."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Processes:
    """Starts processes, and reaps all that come here; several threads may use it.

    Attributes:
        processor: seconds of processor time of all that was waited for, and of what that has waited for.

    """

    def __init__(self) -> None:
        self.processor = 0.0
        self._lock = threading.Lock()
        self._awaited: set[int] = set()
        self._null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)

    def start(
        self,
        argv: Sequence[str],
        *,
        stdin: int = -1,
        stdout: int = -1,
        stderr: int = -1,
        environ: Mapping[str, str] = NOTHING,
    ) -> int:
        """Start a command, found in PATH, with these variables, too; return its pid.

        A descriptor that is not given is ``/dev/null``.
        """
        files = [self._null if fd < 0 else fd for fd in (stdin, stdout, stderr)]
        actions = [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(files)]
        with self._lock:
            pid = os.posix_spawnp(argv[0], [*argv], {**os.environ, **environ}, file_actions=actions)
            self._awaited.add(pid)
        return pid

    def expect(self, pid: int) -> None:
        """A process that will come here as an orphan, and that somebody waits for."""
        with self._lock:
            self._awaited.add(pid)

    def wait(self, pid: int, limit: float) -> int:
        """Wait for a child; return its exit status, or minus the signal.

        Raises:
            TooLongError: it was killed, for it took too long.

        """
        handle = os.pidfd_open(pid)
        try:
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            ended = bool(poller.poll(max(0, limit) * 1000))
        finally:
            os.close(handle)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
        with self._lock:
            self._awaited.discard(pid)
            self.processor += used.ru_utime + used.ru_stime
        if not ended:
            raise TooLongError(f"a process took longer than {limit:.0f} s")
        return os.waitstatus_to_exitcode(status)

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: int = -1,
        stdout: int = -1,
        stderr: int = -1,
        environ: Mapping[str, str] = NOTHING,
        limit: float = 30.0,
    ) -> Run:
        """Run a command to its end. What it says goes to a file in memory unless there is a descriptor for it."""
        output, said = (os.memfd_create(name, os.MFD_CLOEXEC) for name in ("output", "said"))
        try:
            begin = time.perf_counter()
            out, err = output if stdout < 0 else stdout, said if stderr < 0 else stderr
            pid = self.start(argv, stdin=stdin, stdout=out, stderr=err, environ=environ)
            status = self.wait(pid, limit)
            seconds = time.perf_counter() - begin
            return Run(seconds, status, _content(output), _content(said)[-SAID:].decode(errors="replace"))
        finally:
            os.close(output)
            os.close(said)

    def reap_strays(self) -> None:
        """Reap dead orphans that nobody waits for (guards, actors); only while no measurement runs."""
        for pid in children():
            if pid not in self._awaited and state_of(pid) == "Z":
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)

    def kill_left(self) -> int:
        """End every child that is left; return how many there were."""
        self.reap_strays()
        left = [pid for pid in children() if state_of(pid) not in "ZX"]
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(left)


def _content(fd: int) -> bytes:
    """All of a file, whatever the position is."""
    return os.pread(fd, 1 << 20, 0)


def read_proc(pid: int, name: str) -> str:
    """``/proc/PID/NAME``; empty when the process is gone."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def state_of(pid: int) -> str:
    """The letter of ps; X for a process that is gone."""
    words = read_proc(pid, "stat").rpartition(")")[2].split()
    return words[0] if words else "X"


def processor_time(pid: int) -> float:
    """Milliseconds of processor time that a living process has used."""
    tasks = os.listdir(f"/proc/{pid}/task") if os.path.isdir(f"/proc/{pid}/task") else []
    spent = (read_proc(pid, f"task/{task}/schedstat").split() for task in tasks)
    return sum(int(words[0]) for words in spent if words) / 1e6


def children(pid: int | None = None) -> list[int]:
    """Children of a process, of all its threads, oldest first."""
    who = pid or os.getpid()
    try:
        tasks = os.listdir(f"/proc/{who}/task")
    except OSError:
        return []
    found: set[int] = set()
    for task in tasks:
        found.update(map(int, read_proc(who, f"task/{task}/children").split()))
    return sorted(found)
