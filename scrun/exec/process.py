"""The ``process`` object of a program that ``exec`` adds to a container: an engine's file, or a person's options."""

from actors.oci import config_file, config_form
from proto.errors import BundleError, UsageError, reason
from scrun.cli.parsing import Options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Process = dict[str, Any]

CAPABILITY_SETS = ("bounding", "effective", "permitted")


def read(path: str) -> "Process":
    """Read an engine's file, which may be a pipe (``/dev/fd/N``).

    Raises:
        BundleError: it cannot be read, or describes no process.

    """
    try:
        with open(path, "rb") as file:
            data = file.read(config_file.SIZE_LIMIT)
    except OSError as error:
        raise BundleError(f"the process file {path} cannot be read: {reason(error)}") from None
    try:
        process = config_file.parse(data)
    except ValueError as error:
        raise BundleError(f"the process file {path} is not valid JSON: {error}") from None
    return checked(process)


def checked(process: "Any") -> "Process":
    """The process, if its form is right and nothing is missing.

    Raises:
        BundleError: with a sentence that names the property.

    """
    if wrong := config_form.fault({"process": process}):
        raise BundleError(f"{wrong} or the process file")
    found: Process = config_form.without_nulls(process)
    if not found.get("args") or not found["args"][0]:
        raise UsageError("process args cannot be empty")
    if not found.get("cwd", "").startswith("/"):
        raise UsageError(f"the working directory must be an absolute path, not {found.get('cwd', '')!r}")
    return found


def from_options(base: "Process", words: list[str], own: Options) -> "Process":
    """The container's own process with another command and what the options say.

    Args:
        base: ``process`` of the container's config.json.
        words: the command.
        own: options of ``exec``.

    Raises:
        UsageError: an option cannot be understood.

    """
    process = {key: value for key, value in base.items() if key != "consoleSize"}
    process |= {"args": words, "terminal": own.flag("tty"), "cwd": own.text("cwd") or base.get("cwd")}
    process["env"] = [*(base.get("env") or ()), *own.get("env", ())]
    user = dict(base.get("user") or {})
    if given := own.text("user"):
        uid, colon, gid = given.partition(":")
        user["uid"] = _id(uid, "--user")
        if colon:
            user["gid"] = _id(gid, "--user")
    if groups := own.get("additional-gids"):
        user["additionalGids"] = [
            *(user.get("additionalGids") or ()),
            *(_id(gid, "--additional-gids") for gid in groups),
        ]
    process["user"] = user
    if more := own.get("cap"):
        sets = base.get("capabilities") or {}
        process["capabilities"] = {**sets, **{name: [*(sets.get(name) or ()), *more] for name in CAPABILITY_SETS}}
    if own.flag("no-new-privs"):
        process["noNewPrivileges"] = True
    return checked(process)


def _id(word: str, option: str) -> int:
    if not (word.isascii() and word.isdigit() and int(word[:11]) < 1 << 32):
        raise UsageError(f"{option} takes numbers, not {word[:40]!r}")
    return int(word)


def console_size(process: "Process") -> tuple[int, int] | None:
    """Rows and columns that the process asks for."""
    size = process.get("consoleSize") or {}
    return (size.get("height") or 0, size.get("width") or 0) if size else None
