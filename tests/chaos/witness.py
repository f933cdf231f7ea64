"""Sees a container's journal grow, record by record, and its processes; strikes in that very moment."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import threading
import time
from typing import TYPE_CHECKING

from proto.life import journal
from proto.wire.registry import word_of
from tests.conftest import alive, read_proc

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from proto.wire.registry import Message
    from tests.slurm.runtime import Runtime

ROLES = ("state", "allocation", "staging", "stdio", "signals", "guard")
EVENTS = (
    "created-by", "job-requested", "job-granted", "staged-in", "create-answered", "start-requested",
    "launch-requested", "step-started", "signal-requested", "signal-delivered", "step-ended", "output-drained",
    "staged-out", "job-released", "finished",
)  # fmt: skip
"""All that a container tells whose job does not wait, which gets one signal and ends by itself."""

IN_MODIFY, IN_CREATE, IN_CLOEXEC = 0x2, 0x100, 0o2000000
_libc = ctypes.CDLL(None, use_errno=True)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in read_proc(pid, f"task/{pid}/children").split()]


def find(anchor: int, role: str) -> int:
    """The pid of an actor or the guard; 0 if there is none just now."""
    if role == "anchor":
        return anchor if alive(anchor) else 0
    comm = f"scrun-{role}"[:15].encode()
    for pid in children_of(anchor):
        if role == "guard":
            found = read_proc(pid, "cmdline").startswith(b"scrun-guard\0")
        else:
            found = read_proc(pid, "comm").rstrip() == comm
        if found and alive(pid):
            return pid
    return 0


class Witness:
    """Reads one container's journal in a thread of its own and calls ``on_event`` for each new record."""

    def __init__(self, runtime: Runtime, container_id: str, on_event: Callable[[Witness, str], None]) -> None:
        self.runtime = runtime
        self.id = container_id
        self.events: list[Message] = []
        self.words: list[str] = []
        self.error: BaseException | None = None
        self._on_event = on_event
        self._anchor = 0
        self._directory = runtime.root / container_id
        self._stop = os.eventfd(0, os.EFD_CLOEXEC)
        self._notify = _libc.inotify_init1(IN_CLOEXEC)
        self._thread = threading.Thread(target=self._watch, name=f"witness of {container_id}")

    def __enter__(self) -> Self:
        done = self.runtime.runner(["mkdir", "-p", "-m", "700", str(self.runtime.root)])
        assert done.returncode == 0, done.stderr
        self._add(str(self.runtime.root))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        os.eventfd_write(self._stop, 1)
        self._thread.join()
        os.close(self._stop)
        os.close(self._notify)
        if self.error is not None and error is None:
            raise self.error

    def anchor(self, seconds: float = 5.0) -> int:
        """The anchor's pid: ``create`` writes the pid file when it has forked it, and removes it when it fails."""
        end = time.monotonic() + seconds
        path = self.runtime.pid_file(self.id)
        while not self._anchor and time.monotonic() < end:
            with contextlib.suppress(OSError, ValueError):
                self._anchor = int(path.read_text())
                break
            time.sleep(0.001)
        return self._anchor

    def strike(self, role: str, signum: int = signal.SIGKILL) -> int:
        """Send a process of the container a signal as soon as there is that process; 0: it never came."""
        anchor = self.anchor()
        while alive(anchor):
            pid = find(anchor, role)
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signum)
                    return pid
            if self._stopped(0.001):
                break
            self._read()
        return 0

    def _add(self, path: str) -> None:
        # Watching a directory tells of its files, too; a file's first bytes may come before there is a watch.
        if _libc.inotify_add_watch(self._notify, os.fsencode(path), IN_MODIFY | IN_CREATE) < 0 and (
            os.path.isdir(path)
        ):
            raise OSError(ctypes.get_errno(), path)

    def _stopped(self, seconds: float) -> bool:
        return bool(select.select([self._stop], [], [], seconds)[0])

    def _watch(self) -> None:
        try:
            watched = False
            while True:
                if not watched and self._directory.is_dir():
                    self._add(str(self._directory))
                    watched = True
                self._tell()
                ready = select.select([self._stop, self._notify], [], [], 1.0)[0]
                if self._stop in ready:
                    self._tell()
                    return
                if self._notify in ready:
                    os.read(self._notify, 1 << 16)
        except BaseException as error:
            self.error = error

    def _read(self) -> None:
        records = journal.read(str(self._directory / "journal"))
        # The directory goes with ``delete``; what has been seen has been.
        if len(records) > len(self.events):
            self.events = [record.event for record in records]

    def _tell(self) -> None:
        self._read()
        while len(self.words) < len(self.events):
            self.words.append(word_of(type(self.events[len(self.words)])))
            self._on_event(self, self.words[-1])
