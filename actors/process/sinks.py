"""Where lines of a log go besides the container's own: the file of ``--log``, syslog, systemd's journal.

None of them may hold anybody up or fail anything: what cannot be written at once is lost.
"""

import os
import socket
import time
from typing import Protocol

from proto.host.log_record import open_log, record

SYSLOG = "/dev/log"
JOURNAL = "/run/systemd/journal/socket"
# runc's words, and syslog's severities, for levels above these are debug ones.
_WORDS = {"fatal": "fatal", "error": "error", "warning": "warning", "info": "info", "verbose": "info"}
_SEVERITIES = {"fatal": 2, "error": 3, "warning": 4, "info": 6, "verbose": 6}
_USER = 1 << 3
LOG_LIMIT = 8 << 20
"""Bytes after which nothing more is written: a log must not fill the file system that the state lives on."""


class Sink(Protocol):
    """Takes one line."""

    def write(self, level: str, text: str) -> None:
        """Write the line; never fails."""


class File:
    """Records in a file, each in one write."""

    def __init__(self, path: str, log_format: str) -> None:
        self._format = log_format
        try:
            self._fd = open_log(path)
        except OSError:
            self._fd = -1

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def write(self, level: str, text: str) -> None:
        """See ``Sink``."""
        line = record(text, self._format, time.time(), _WORDS.get(level, "debug"))
        try:
            if os.fstat(self._fd).st_size < LOG_LIMIT:
                os.write(self._fd, line.encode(errors="backslashreplace"))
        except OSError:
            pass


class Syslog:
    """The local syslog daemon, in the form of RFC 3164 that they all read from their socket."""

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, level: str, text: str) -> None:
        """See ``Sink``."""
        stamp = time.strftime("%b %e %H:%M:%S")
        head = f"<{_USER + _SEVERITIES.get(level, 7)}>{stamp} {self._name}[{os.getpid()}]: "
        _send(SYSLOG, head + text)


class Journald:
    """systemd's journal (crun's ``--log journald:NAME``)."""

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, level: str, text: str) -> None:
        """See ``Sink``."""
        line = " ".join(text.split("\n"))
        severity = _SEVERITIES.get(level, 7)
        _send(JOURNAL, f"PRIORITY={severity}\nSYSLOG_IDENTIFIER={self._name}\nMESSAGE={line}\n")


def _send(path: str, text: str) -> None:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
            sock.sendto(text.encode(errors="backslashreplace"), path)
    except OSError:
        pass


def of_log(log: str, log_format: str) -> Sink:
    """The sink of a ``--log`` value: a path, ``file:PATH``, ``syslog:NAME`` or ``journald:NAME``."""
    kind, colon, name = log.partition(":")
    if colon and kind == "syslog":
        return Syslog(name or "scrun")
    if colon and kind == "journald":
        return Journald(name or "scrun")
    return File(log, log_format)
