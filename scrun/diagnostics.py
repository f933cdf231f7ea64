"""Everything that scrun says when something goes wrong: standard error, ``--log`` and the exit status.

Engines read these texts: conmon takes one ``read`` of standard error, podman decodes the whole log file as *one*
JSON object, containerd takes the last record of a stream. Hence one sentence, written once, one record, and
nothing at all on success. On the path of the hot verbs: no ``json``, no ``logging``.
"""

import os
import time

from proto.errors import InternalError, ScrunError

from .grammar import EXIT_CODES
from .parsing import Line

# conmon's buffer is 8 KiB; the log's record must fit into one atomic append as well.
LIMIT = 3000

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def quote(text: str) -> str:
    """A text as a JSON string (or as a quoted value of a text record)."""
    parts = [
        _ESCAPES.get(char) or (char if char.isprintable() else f"\\u{min(ord(char), 0xFFFD):04x}") for char in text
    ]
    return f'"{"".join(parts)}"'


def one_line(text: str) -> str:
    """The text on one line, without control characters, of bounded length."""
    line = " ".join(text.split())
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line if len(line) <= LIMIT else f"{line[:LIMIT]}…"


def record(sentence: str, log_format: str, now: float, level: str = "error") -> str:
    """One record of the log, in runc's formats."""
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
    if log_format == "json":
        return f'{{"level":"{level}","msg":{quote(sentence)},"time":"{stamp}"}}\n'
    return f'time="{stamp}" level={level} msg={quote(sentence)}\n'


def log_path(log: str) -> str:
    """The file of a ``--log`` value, empty for none (crun's ``journald:`` and ``syslog:`` are not files)."""
    if log.startswith(("journald:", "syslog:")):
        return ""
    return log.removeprefix("file:")


def report(line: Line, error: BaseException) -> int:
    """Tell the user and the engine why the command failed; return its exit status."""
    if not isinstance(error, ScrunError):
        if line.options.flag("debug"):
            import traceback

            traceback.print_exception(error)
        detail = one_line(str(error))
        error = InternalError(f"internal error: {type(error).__name__}{': ' if detail else ''}{detail}")
    sentence = one_line(error.sentence)
    if line.verb == "exec":
        sentence = f"exec failed: {sentence}"
    log = log_path(line.options.text("log"))
    log_format = line.options.text("log-format")
    if log:
        _append(log, record(sentence, log_format, time.time()))
    plain = bool(log) or log_format != "json"
    write(2, f"{sentence}\n" if plain else record(sentence, log_format, time.time()))
    return EXIT_CODES.get(line.verb, error.exit_code)


def warn(line: Line, sentence: str) -> None:
    """Tell of something that did not keep the command from succeeding: in the log, or for want of one on stderr."""
    sentence = one_line(sentence)
    log = log_path(line.options.text("log"))
    if log:
        _append(log, record(sentence, line.options.text("log-format"), time.time(), "warning"))
    else:
        write(2, f"{sentence}\n")


def write(descriptor: int, text: str | bytes) -> None:
    """Write to standard output or standard error; whoever does not listen any more is no reason to fail."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        pass


def _append(path: str, text: str) -> None:
    # O_NONBLOCK: a FIFO that nobody reads must not stop the command.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError:
        return
    write(descriptor, text)
    os.close(descriptor)
