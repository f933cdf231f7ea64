"""A CDI file: which devices of a kind a host has, and what of the host a container needs for each.

The form is that of versions 0.3 to 1.x; what later ones have added is optional, so that a version of the same major
number can be read. ``intelRdt`` and ``additionalGids`` are Slurm's affair, or the user's, and not taken from here.
"""

import json
import re
from typing import Any

from actors.oci import config_form
from actors.oci.config_form import COUNT, ID, NUMBER, TEXT
from proto.errors import StagingError
from proto.value import Value

OLDEST, NEWEST = (0, 3), 1
"""The oldest version, and the newest major one."""
HOOKS = frozenset(("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"))
_EDITS = {
    "env": [TEXT],
    "deviceNodes": [
        {"path": TEXT, "hostPath": TEXT, "type": TEXT, "major": NUMBER, "minor": NUMBER, "permissions": TEXT}
        | {"fileMode": NUMBER, "uid": ID, "gid": ID}
    ],
    "mounts": [{"hostPath": TEXT, "containerPath": TEXT, "type": TEXT, "options": [TEXT]}],
    "hooks": [{"hookName": TEXT, "path": TEXT, "args": [TEXT], "env": [TEXT], "timeout": COUNT}],
}
_FORM: dict[str, Any] = {
    "cdiVersion": TEXT,
    "kind": TEXT,
    "devices": [{"name": TEXT, "containerEdits": _EDITS}],
    "containerEdits": _EDITS,
}
_KIND = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._-]*[a-zA-Z0-9])?/[a-zA-Z]([a-zA-Z0-9._-]*[a-zA-Z0-9])?")
_NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9._:-]*[a-zA-Z0-9])?")
_VERSION = re.compile(r"v?(\d+)\.(\d+)\.\d+([-+][\w.+-]*)?")


class Node(Value):
    """A device's file: where it is on the host, and in a container."""

    source: str
    path: str


class Mount(Value):
    """What is mounted; ``kind`` is the type of the file system, or empty for a part of the host's."""

    source: str
    path: str
    options: tuple[str, ...] = ()
    kind: str = ""


class Hook(Value):
    """What the runtime is to call; ``args`` have the name of the program before them, ``timeout`` of 0 is none."""

    moment: str
    path: str
    args: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    timeout: int = 0


class Edits(Value):
    """``containerEdits``: what a container gets."""

    env: tuple[str, ...] = ()
    nodes: tuple[Node, ...] = ()
    mounts: tuple[Mount, ...] = ()
    hooks: tuple[Hook, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.env or self.nodes or self.mounts or self.hooks)


class Device(Value):
    """One device.

    Attributes:
        kind: ``VENDOR/CLASS``.
        name: unique among those of its kind.
        own: what a container gets with it.
        common: what a container gets with any device of the same file.

    """

    kind: str
    name: str
    own: Edits
    common: Edits

    @property
    def qualified(self) -> str:
        """Its name among all devices."""
        return f"{self.kind}={self.name}"

    @property
    def files(self) -> frozenset[str]:
        """Its files on the host."""
        return frozenset(node.source for node in self.own.nodes)


def read(text: bytes, file: str) -> tuple[Device, ...]:
    """Read a file.

    Args:
        text: JSON, or YAML where the name ends with ``.yaml``.
        file: its path, for the sentence.

    Raises:
        StagingError: it is none that can be used.

    """
    try:
        value = json.loads(text) if file.endswith(".json") else _yaml(text)
    except (ValueError, RecursionError) as error:
        raise StagingError(f"{file} is not {'JSON' if file.endswith('.json') else 'YAML'}: {_line(error)}") from None
    wrong = config_form.fault(value, _FORM, file)
    if wrong:
        raise StagingError(wrong)
    value = config_form.without_nulls(value)
    _check_version(value.get("cdiVersion", ""), file)
    kind = value.get("kind", "")
    if not _KIND.fullmatch(kind):
        raise StagingError(f"kind of {file} must be VENDOR/CLASS, not {kind[:80]!r}")
    listed = value.get("devices") or ()
    if not listed:
        raise StagingError(f"{file} has no devices")
    common = _edits(value.get("containerEdits") or {}, file)
    found = tuple(
        Device(kind, _name(each, file), _edits(each.get("containerEdits") or {}, file), common) for each in listed
    )
    names = [device.name for device in found]
    twice = next((name for name in names if names.count(name) > 1), "")
    if twice:
        raise StagingError(f"{file} has device {twice} twice")
    return found


def _yaml(text: bytes) -> Any:
    import yaml  # 15 ms, for hosts that have such files

    try:
        # NVIDIA's file of a large machine takes a second to read with the loader in Python.
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None


def _check_version(version: str, file: str) -> None:
    found = _VERSION.fullmatch(version)
    if not found or (int(found[1]), int(found[2])) < OLDEST or int(found[1]) > NEWEST:
        known = f"scrun knows {OLDEST[0]}.{OLDEST[1]} to {NEWEST}.x"
        raise StagingError(f"cdiVersion {version[:40]!r} of {file} is not known: {known}")


def _name(device: dict[str, Any], file: str) -> str:
    name = str(device.get("name", ""))
    if not _NAME.fullmatch(name):
        raise StagingError(f"{file} has a device whose name is {name[:80]!r}")
    return name


def _edits(edits: dict[str, Any], file: str) -> Edits:
    found = Edits(
        env=tuple(edits.get("env") or ()),
        nodes=tuple(
            Node(_path(node.get("hostPath") or node.get("path"), file), _path(node.get("path"), file))
            for node in edits.get("deviceNodes") or ()
        ),
        mounts=tuple(
            Mount(
                str(mount.get("hostPath") or ""),
                _path(mount.get("containerPath"), file),
                tuple(mount.get("options") or ()),
                mount.get("type") or "",
            )
            for mount in edits.get("mounts") or ()
        ),
        hooks=tuple(_hook(hook, file) for hook in edits.get("hooks") or ()),
    )
    for entry in found.env:
        if entry.find("=") < 1:
            raise StagingError(f"{file} has a variable without a name or a value: {entry[:80]!r}")
    if any(char in text for text in _texts(edits) for char in "\n\r"):
        raise StagingError(f"{file} has a line break in one of its texts")
    return found


def _hook(hook: dict[str, Any], file: str) -> Hook:
    moment = str(hook.get("hookName", ""))
    if moment not in HOOKS:
        raise StagingError(f"{file} has a hook for {moment[:80]!r}, which is no moment of a container's life")
    path = _path(hook.get("path"), file)
    return Hook(moment, path, tuple(hook.get("args") or ()), tuple(hook.get("env") or ()), hook.get("timeout") or 0)


def _path(path: object, file: str) -> str:
    if not isinstance(path, str) or not path.startswith("/"):
        raise StagingError(f"{file} has a path that does not begin with /: {path!r}")
    return path


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for inner in value.values() for text in _texts(inner)]
    if isinstance(value, list):
        return [text for inner in value for text in _texts(inner)]
    return [value] if isinstance(value, str) else []


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
