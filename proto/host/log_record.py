"""One record of a log, in runc's two formats, and the levels. On the path of the hot verbs: no ``json``."""

import os
import time

LEVELS = ("quiet", "fatal", "error", "info", "verbose", "debug", "debug2", "debug3", "debug4", "debug5")
"""The man page's words (scrun(1), SCRUN_DEBUG), from nothing to everything."""

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def file_of(log: str) -> str:
    """The file of a ``--log`` value, which crun writes ``file:PATH``."""
    return log.removeprefix("file:")


def open_log(log: str) -> int:
    """Open the file of a ``--log`` value for appending.

    Raises:
        OSError: it cannot be written to now.

    """
    # O_NONBLOCK: a FIFO without a reader must stop neither a command nor an actor.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    return os.open(file_of(log), flags, 0o644)


def quote(text: str) -> str:
    """A text as a JSON string (or as a quoted value of a text record)."""
    parts = [
        _ESCAPES.get(char) or (char if char.isprintable() else f"\\u{min(ord(char), 0xFFFD):04x}") for char in text
    ]
    return f'"{"".join(parts)}"'


def record(sentence: str, log_format: str, now: float, level: str = "error") -> str:
    """The record, with its line feed."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    if log_format == "json":
        return f'{{"level":"{level}","msg":{quote(sentence)},"time":"{stamp}"}}\n'
    return f'time="{stamp}" level={level} msg={quote(sentence)}\n'
