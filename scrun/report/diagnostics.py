"""Everything that scrun says when something goes wrong: standard error, ``--log`` and the exit status.

Engines read these texts: conmon takes one ``read`` of standard error, podman decodes the whole log file as *one*
JSON object, containerd takes the last record of a stream. Hence one sentence, written once, one record, and
nothing at all on success. On the path of the hot verbs: no ``json``, no ``logging``.
"""

import os
import time

from proto.errors import InternalError, ScrunError, SettingsError, exhausted
from proto.host.log_record import file_of, open_log, record
from scrun.cli.grammar import DEBUG_VARIABLES, EXIT_CODES
from scrun.cli.parsing import Line

from .lines import one_line, write


def report(line: Line, error: BaseException) -> int:
    """Tell the user and the engine why the command failed; return its exit status."""
    if not isinstance(error, ScrunError):
        if line.options.flag("debug"):
            import traceback

            traceback.print_exception(error)
        detail = one_line(str(error))
        error = exhausted(error) or InternalError(
            f"internal error: {type(error).__name__}{': ' if detail else ''}{detail}"
        )
    sentence = one_line(error.sentence)
    if line.verb == "exec":
        sentence = f"exec failed: {sentence}"
    if _note(line, sentence, "error"):
        log_format = line.options.text("log-format")
        plain = bool(line.options.text("log")) or log_format != "json"
        write(2, f"{sentence}\n" if plain else record(sentence, log_format, time.time()))
    return EXIT_CODES.get(line.verb, error.exit_code)


def check_log(line: Line) -> None:
    """See to it that what is to be reported can be.

    Raises:
        SettingsError: ``--log`` names a file that cannot be written.

    """
    log = line.options.text("log")
    if not log or log.startswith(("syslog:", "journald:")):
        return
    path = file_of(log)
    # It is made when there is something to say: success is silent.
    place = path if os.path.exists(path) else os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.path.exists(place):
        why = f"{path} is a directory" if place == path else f"there is no directory {place}"
        raise SettingsError(f"the log {path} cannot be written: {why}")
    if not os.access(place, os.W_OK):
        raise SettingsError(f"the log {path} cannot be written: you may not")


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
        _append(log, record(sentence, line.options.text("log-format"), time.time(), level))
    return True


def _append(log: str, text: str) -> None:
    try:
        descriptor = open_log(log)
    except OSError:
        return
    write(descriptor, text)
    os.close(descriptor)
