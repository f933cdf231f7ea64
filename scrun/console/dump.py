"""``dump``: one file for a bug report, without what may be secret."""

import json
import os
import sys
from collections.abc import Callable, Iterator

from proto import __version__
from proto.errors import ScrunError, StorageError, UsageError, reason
from proto.life.creation import Creation
from scrun.box.box import find
from scrun.cli.root import is_own

from . import descriptors, form, journal, state, tree, wants
from .command import Command, Question, Row

TAIL = 256 << 10
"""Bytes of the log's end."""


def rows(question: Question) -> Iterator[Row]:
    """The file, and how long it has become.

    Raises:
        NotFoundError: there is no such container.
        UsageError: the file is there already.
        StorageError: it cannot be written.

    """
    find(question.root, question.id)
    path = question.argument or f"scrun-{question.id[:12]}.txt"
    creation = _creation(question)
    sections: dict[str, Callable[[], str]] = {
        "versions": lambda: _versions(question.root, creation),
        **{command.name: _section(command, question) for command in SHOWN},
        "log": lambda: _log(question.paths.log),
    }
    text = "".join(f"== {name} ==\n{_said(make)}\n" for name, make in sections.items())
    from .redaction import redacted, secrets

    data = redacted(text, secrets(_config(question.paths.config), creation, question.id)).encode(errors="replace")
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(data)
    except FileExistsError:
        raise UsageError(f"{path} is there already: name another file") from None
    except OSError as error:
        raise StorageError(f"cannot write {path}: {reason(error)}") from None
    yield path, len(data)


def _said(make: Callable[[], str]) -> str:
    """A section, or why there is none: of a container that has stopped no process can be asked."""
    try:
        return make()
    except (ScrunError, OSError) as error:
        return f"{error}\n"


def _section(command: Command, question: Question) -> Callable[[], str]:
    about = Question(question.root, question.id)
    return lambda: form.table(command.columns, command.rows(about), as_json=False)


def _creation(question: Question) -> Creation | None:
    from proto.life import journal as records
    from proto.life import lifecycle

    return lifecycle.replay(records.read(question.paths.journal)[:1]).creation


def _versions(root: str, creation: Creation | None) -> str:
    from importlib.metadata import version

    kernel = os.uname()
    lines = {
        "scrun": __version__,
        "python": sys.version.split()[0],
        **{name: version(name) for name in ("msgpack", "pykka", "pyzmq")},
        "kernel": f"{kernel.release} {kernel.machine}",
        "slurm": _slurm(creation) if is_own(root) else "its commands are its owner's choice, and not run",
        "scheduler": creation.settings.scrun.scheduler if creation is not None else "unknown",
    }
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def _slurm(creation: Creation | None) -> str:
    from actors.guard.clean_up import run
    from actors.process.command import Command as Program
    from actors.slurm.commands import environment, look_up, search_path

    entries = creation.environ if creation is not None else ()
    salloc = look_up("salloc", search_path(entries))
    if salloc is None:
        return "not found"
    return " ".join(run(Program((salloc, b"--version"), environment(entries)))[1].split())


def _log(path: str) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
        return file.read().decode(errors="replace")


def _config(path: str) -> object:
    try:
        with open(path, "rb") as file:
            return json.load(file)
    except (OSError, ValueError, RecursionError):
        return None


SHOWN = (tree.COMMAND, state.COMMAND, wants.COMMAND, journal.COMMAND, descriptors.COMMAND)
COMMAND = Command(
    "dump",
    "write one file for a bug report: all of this, the log, versions; nothing secret",
    ("file", "bytes"),
    rows,
    "FILE (default: `scrun-ID.txt`) is new and its owner's. Words of eight characters or more of arguments, "
    "environment and annotations are `<redacted>` wherever they stand. `scrun doctor --format json` has what is to be "
    "known of the host",
    argument="[FILE]",
)
