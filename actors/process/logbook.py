"""The container's own log: one line for each thing worth knowing, in the container's directory and on request
elsewhere.

Levels are the man page's words (``SCRUN_DEBUG``). Lines carry no environment and no arguments of the program:
secrets live there.
"""

import os
import time
import traceback

from proto.host.log_record import LEVELS
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation

from .sinks import LOG_LIMIT, Sink, Syslog, of_log

TAIL = 4000
"""Bytes of a log in which its last line is looked for."""


def level_number(word: str) -> int:
    """The number of a level: 0 is ``quiet``, 9 is ``debug5``."""
    return LEVELS.index(word)


class Logbook:
    """Appends to ``ROOT/ID/log``. Every line is one ``write``, so processes do not mix theirs.

    Where there is no such file any more, nothing is kept of what is said: no reason for a process to end.

    Attributes:
        level: how much goes into the file, of all logbooks of this process; None: as much as ``create`` was told.

    """

    level: int | None = None

    def __init__(self, creation: Creation, actor: str) -> None:
        self._limit = level_number(creation.log.own)
        self._actor = actor
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            self._fd = os.open(ContainerPaths(creation.root, creation.id).log, flags, 0o600)
        except OSError:
            self._fd = os.open(os.devnull, flags)
        self._others: list[tuple[int, Sink]] = []
        if creation.log.path and (limit := level_number(creation.log.file)):
            self._others.append((limit, of_log(creation.log.path, creation.log.format)))
        if limit := level_number(creation.log.syslog):
            self._others.append((limit, Syslog("scrun")))
        self._id = creation.id

    def fileno(self) -> int:
        """The descriptor of the container's own log."""
        return self._fd

    def write(self, level: str, text: str) -> None:
        """Write a line wherever its level is asked for."""
        number = level_number(level)
        for limit, sink in self._others:
            if number <= limit:
                sink.write(level, f"{self._id} {self._actor}: {text}")
        limit = self._limit if Logbook.level is None else Logbook.level
        if number > limit or os.fstat(self._fd).st_size > LOG_LIMIT:
            return
        now = time.time()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now * 1000) % 1000:03}Z"
        line = f"{stamp} {level} {self._actor}: {text}\n".encode(errors="backslashreplace")
        try:
            os.write(self._fd, line)
        except OSError:
            pass  # a full disk: no reason for the anchor to end


def report_crash(creation: Creation, actor: str) -> None:
    """Write the exception that is being handled to the log, whatever the level."""
    Logbook(creation, actor).write("fatal", traceback.format_exc())


def last_words(log: str) -> str:
    """The last line of a container's log, for an error that outlives it; empty if there is none."""
    try:
        with open(log, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""
