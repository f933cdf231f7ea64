"""Everything that scrun says when something goes wrong: standard error, ``--log`` and the exit status.

Engines read these texts: conmon takes one ``read`` of standard error, podman decodes the whole log file as *one*
JSON object, containerd takes the last record of a stream. Hence one sentence, written once, one record, and
nothing at all on success. On the path of the hot verbs: no ``json``, no ``logging``.
"""

import os
import time

from proto.errors import InternalError, ScrunError
from proto.host.log_record import record
from scrun.cli.grammar import DEBUG_VARIABLES, EXIT_CODES
from scrun.cli.parsing import Line

from .lines import log_path, one_line, write


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
    if _note(line, sentence, "error"):
        log_format = line.options.text("log-format")
        plain = bool(line.options.text("log")) or log_format != "json"
        write(2, f"{sentence}\n" if plain else record(sentence, log_format, time.time()))
    return EXIT_CODES.get(line.verb, error.exit_code)


def asked(line: Line) -> bool:
    """Whether anything but the usual is to be said, by an option or a variable."""
    options = line.options
    return (
        any(options.count(name) for name in ("debug", "log-level", "verbose"))
        or any(os.environ.get(name) for name in DEBUG_VARIABLES)
        or options.text("log").startswith(("syslog:", "journald:"))
    )


def say(line: Line, level: str, text: str) -> None:
    """Say something about a command that goes well, to those who asked."""
    if asked(line):
        from . import client_log

        client_log.say(line, level, text)


def warn(line: Line, sentence: str) -> None:
    """Tell of something that did not keep the command from succeeding: in the log, or for want of one on stderr."""
    sentence = one_line(sentence)
    if _note(line, sentence, "warning") and not line.options.text("log"):
        write(2, f"{sentence}\n")


def _note(line: Line, sentence: str, level: str) -> bool:
    """Put a sentence into the log, and wherever else it is wanted; return whether standard error may have it, too."""
    if asked(line):
        from . import client_log

        return client_log.note(line, sentence, level)
    if log := line.options.text("log"):
        _append(log_path(log), record(sentence, line.options.text("log-format"), time.time(), level))
    return True


def _append(path: str, text: str) -> None:
    # O_NONBLOCK: a FIFO that nobody reads must not stop the command.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError:
        return
    write(descriptor, text)
    os.close(descriptor)
