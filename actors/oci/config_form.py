"""The form of config.json, as far as scrun reads it anywhere: a table, and the one check by it.

``create`` checks the engine's file, and staging what a scrun.lua has made of it. So whoever reads a property later may
rely on its type. What is not in the table is the node's runtime's affair, but for one thing: it must be possible to
write every text again. Null counts as absent, as in Go.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEPTH_LIMIT = 64

TEXT, FLAG, NUMBER, ID, COUNT = (
    "a text",
    "true or false",
    "a number",
    "a number from 0 to 4294967295",
    "a number above 0",
)
MAP = "*"
"""As the only key of an object: its properties may have any name."""

_RANGES = {NUMBER: (-(1 << 63), (1 << 64) - 1), ID: (0, (1 << 32) - 1), COUNT: (1, (1 << 31) - 1)}
_USER = {"uid": ID, "gid": ID, "umask": ID, "additionalGids": [ID]}
_ID_MAP = [{"containerID": ID, "hostID": ID, "size": ID}]
_HOOKS = [{"path": TEXT, "args": [TEXT], "env": [TEXT], "timeout": COUNT}]
FORM: "dict[str, Any]" = {
    "ociVersion": TEXT,
    "hostname": TEXT,
    "domainname": TEXT,
    "root": {"path": TEXT, "readonly": FLAG},
    "process": {
        "terminal": FLAG,
        "consoleSize": {"height": NUMBER, "width": NUMBER},
        "user": _USER,
        "args": [TEXT],
        "env": [TEXT],
        "cwd": TEXT,
        "capabilities": {MAP: [TEXT]},
        "rlimits": [{"type": TEXT, "hard": NUMBER, "soft": NUMBER}],
        "noNewPrivileges": FLAG,
        "oomScoreAdj": NUMBER,
    },
    "mounts": [{"destination": TEXT, "type": TEXT, "source": TEXT, "options": [TEXT]}],
    "hooks": dict.fromkeys(
        ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"), _HOOKS
    ),
    "annotations": {MAP: TEXT},
    "linux": {
        "uidMappings": _ID_MAP,
        "gidMappings": _ID_MAP,
        "sysctl": {MAP: TEXT},
        "resources": {"cpu": {"quota": NUMBER, "period": NUMBER}, "memory": {"limit": NUMBER}},
        "namespaces": [{"type": TEXT, "path": TEXT}],
        "devices": [{"path": TEXT, "type": TEXT, "major": NUMBER, "minor": NUMBER}],
        "seccomp": {},
        "maskedPaths": [TEXT],
        "readonlyPaths": [TEXT],
    },
}


def fault(config: "Any", form: "dict[str, Any] | None" = None, file: str = "config.json") -> str:
    """What is wrong with the form of a config.json, one sentence; empty if nothing is.

    Args:
        config: what the file says.
        form: of the file if it is another one.
        file: its name, for the sentence.

    """
    if not isinstance(config, dict):
        return f"{file} must be an object"
    return _fault_of_texts(config, file) or _fault(config, FORM if form is None else form, "", file)


def without_nulls(value: "Any") -> "Any":
    """The same without properties that are null; for a config whose form is right, so no list has one."""
    if isinstance(value, dict):
        return {key: without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        return [without_nulls(inner) for inner in value]
    return value


def _fault_of_texts(config: "Any", file: str) -> str:
    """Look at everything, level by level: recursion is what a deeply nested file is for."""
    level = [config]
    for _ in range(DEPTH_LIMIT):
        following: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                following += value
                following += value.values()
            elif isinstance(value, list):
                following += value
            elif isinstance(value, str) and not value.isascii() and not _writable(value):
                return f"{file} has a character that no byte stands for, in {value[:40]!r}"
        level = following
        if not level:
            return ""
    return f"{file} is nested too deeply"


def _writable(text: str) -> bool:
    # Arguments and variables need not be UTF-8; their bytes were read as surrogates.
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _fault(value: "Any", form: "Any", name: str, file: str) -> str:
    """The first property below ``name`` that has another form."""
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return f"{name} must be an object in {file}"
        every = form.get(MAP)
        below = [
            (inner, every or form[key], f"{name}.{key}" if name else key)
            for key, inner in value.items()
            if every or key in form
        ]
    elif isinstance(form, list):
        if not isinstance(value, list):
            return f"{name} of {file} must be a list"
        if None in value:
            return f"{name} of {file} must not have null in it"
        below = [(inner, form[0], name) for inner in value]
    elif isinstance(value, str) and form == TEXT:
        return f"{name} of {file} has a character 0" if "\0" in value else ""
    else:
        return "" if _fits(value, form) else f"{name} of {file} must be {form}"
    for inner, its_form, its_name in below:
        if inner is not None and (found := _fault(inner, its_form, its_name, file)):
            return found
    return ""


def _fits(value: "Any", kind: str) -> bool:
    if kind == FLAG:
        return isinstance(value, bool)
    low, high = _RANGES.get(kind, (0, -1))  # no text is a number, no number a text
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
