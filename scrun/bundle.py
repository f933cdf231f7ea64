"""Reads and checks a bundle's config.json: everything that can be known to be wrong is said at ``create``.

Only what scrun uses itself is checked, for the runtime on the node checks the rest; unknown properties are
ignored, as the specification demands. Nothing here changes the config.
"""

import json
import os
import stat
from dataclasses import dataclass, field
from typing import Any

from proto.errors import BundleError

from .reasons import reason

SIZE_LIMIT = 16 << 20
DEPTH_LIMIT = 64
HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What ``create`` needs of a bundle.

    Attributes:
        path: absolute path of the bundle.
        data: config.json as it was read, byte for byte.
        oci_version, rootfs, readonly, terminal, cwd, args, env, annotations: from there.
        binds: destination to source of the mounts; the source is empty where its contents are not known here.
        resources: ``linux.resources``.

    """

    path: str
    data: bytes
    oci_version: str
    rootfs: str
    readonly: bool
    terminal: bool
    cwd: bytes
    args: tuple[bytes, ...]
    env: tuple[bytes, ...]
    annotations: dict[str, str]
    binds: dict[bytes, bytes] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)

    def env_value(self, name: str) -> str:
        """A variable of the container, or empty; the last one counts."""
        prefix = f"{name}=".encode()
        found = [word[len(prefix) :] for word in self.env if word.startswith(prefix)]
        return os.fsdecode(found[-1]) if found else ""


def load(path: str, config: str = "") -> Bundle:
    """Read and check a bundle.

    Args:
        path: the bundle's directory.
        config: another file in place of its config.json.

    Raises:
        BundleError: with a sentence that names the property.

    """
    path = os.path.abspath(path)
    if not os.path.isdir(path):
        raise BundleError(f"the bundle {path} is not a directory")
    data = _read(config or f"{path}/config.json")
    return check(path, data, _parse(data))


def _read(name: str) -> bytes:
    """The bytes of a regular file of bounded size; anything else could block or never end."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except FileNotFoundError:
        raise BundleError(
            f"JSON specification file {os.path.basename(name)} not found in {os.path.dirname(name)}"
        ) from None
    except OSError as error:
        raise BundleError(f"config.json cannot be read ({name}): {reason(error)}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise BundleError(f"config.json is not a regular file ({name})")
    with open(descriptor, "rb") as file:
        data = file.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise BundleError(f"config.json is larger than {SIZE_LIMIT >> 20} MiB ({name})")
    return data


def _parse(data: bytes) -> dict[str, Any]:
    try:
        # Arguments and variables need not be UTF-8; json wants text, so their bytes become surrogates.
        value = json.loads(data.decode("utf-8", "surrogateescape"), parse_constant=_refuse)
    except ValueError as error:
        raise BundleError(f"config.json is not valid JSON: {error}") from None
    except RecursionError:
        raise BundleError("config.json is nested too deeply") from None
    if _depth(value) > DEPTH_LIMIT:
        raise BundleError("config.json is nested too deeply")
    return _object(value, "config.json")


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number")


def _depth(value: Any) -> int:
    """How deeply a value is nested, found level by level: recursion is what is to be avoided."""
    depth = 0
    level = [value]
    while level and depth <= DEPTH_LIMIT:
        depth += 1
        level = [
            item
            for outer in level
            if isinstance(outer, dict | list)
            for item in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return depth


# --- the properties --------------------------------------------------------------------------------------------


def check(path: str, data: bytes, config: dict[str, Any]) -> Bundle:
    """Check a config and pick what ``create`` needs.

    Raises:
        BundleError: with a sentence that names the property.

    """
    root = _object(_demanded(config, "root", ""), "root")
    process = _object(_demanded(config, "process", ""), "process")
    linux = _object(_given(config.get("linux"), {}), "linux")
    args = _texts(_demanded(process, "args", "process."), "process.args")
    if not args or not args[0]:
        raise BundleError("process.args of config.json must have at least one word")
    cwd = _text(_demanded(process, "cwd", "process."), "process.cwd")
    if not cwd.startswith("/"):
        raise BundleError(f"process.cwd of config.json must be an absolute path, not {cwd!r}")
    _check_user(process.get("user"))
    _check_rlimits(process.get("rlimits"))
    _check_namespaces(linux.get("namespaces"))
    _check_hooks(config.get("hooks"))
    return Bundle(
        path=path,
        data=data,
        oci_version=_version(_text(_demanded(config, "ociVersion", ""), "ociVersion")),
        rootfs=_rootfs(path, _text(_demanded(root, "path", "root."), "root.path")),
        readonly=_flag(root.get("readonly"), "root.readonly"),
        terminal=_flag(process.get("terminal"), "process.terminal"),
        cwd=_bytes(cwd, "process.cwd"),
        args=tuple(_bytes(word, "process.args") for word in args),
        env=tuple(_bytes(word, "process.env") for word in _texts(_given(process.get("env"), []), "process.env")),
        annotations=_annotations(_given(config.get("annotations"), {})),
        binds=_binds(path, _given(config.get("mounts"), [])),
        resources=_object(_given(linux.get("resources"), {}), "linux.resources"),
    )


def _version(version: str) -> str:
    """``1.0.2``, ``1.0.2-dev``, ``1.2.0+vendor``; everything of major version 1 is compatible."""
    numbers = version.partition("+")[0].partition("-")[0].split(".")
    if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise BundleError(f"ociVersion of config.json is no version: {version!r}")
    if numbers[0] != "1":
        raise BundleError(f"ociVersion {version} of config.json is not supported: scrun knows 1.x")
    return version


def _rootfs(bundle: str, path: str) -> str:
    if not path or "\0" in path:
        raise BundleError("root.path of config.json must name a directory")
    rootfs = os.path.normpath(os.path.join(bundle, path))
    if not os.path.isdir(rootfs):
        raise BundleError(f"root.path of config.json is not a directory: {rootfs}")
    return rootfs


def _check_user(user: Any) -> None:
    for name, value in _object(_given(user, {}), "process.user").items():
        if name in {"uid", "gid", "umask"} and (not _is_number(value) or value < 0):
            raise BundleError(f"process.user.{name} of config.json must be a number")
        if name == "additionalGids":
            for gid in _list(value, "process.user.additionalGids"):
                if not _is_number(gid) or gid < 0:
                    raise BundleError("process.user.additionalGids of config.json must be numbers")


def _check_rlimits(rlimits: Any) -> None:
    seen = set()
    for entry in _list(_given(rlimits, []), "process.rlimits"):
        name = _text(_object(entry, "process.rlimits").get("type"), "process.rlimits.type")
        if name in seen:
            raise BundleError(f"process.rlimits of config.json has {name} twice")
        seen.add(name)


def _check_namespaces(namespaces: Any) -> None:
    seen = set()
    for entry in _list(_given(namespaces, []), "linux.namespaces"):
        name = _text(_object(entry, "linux.namespaces").get("type"), "linux.namespaces.type")
        if name in seen:
            raise BundleError(f"linux.namespaces of config.json has {name} twice")
        seen.add(name)


def _check_hooks(hooks: Any) -> None:
    for kind, entries in _object(_given(hooks, {}), "hooks").items():
        if kind not in HOOKS:
            continue
        for entry in _list(_given(entries, []), f"hooks.{kind}"):
            hook = _object(entry, f"hooks.{kind}")
            if not _text(hook.get("path"), f"hooks.{kind}.path").startswith("/"):
                raise BundleError(f"hooks.{kind}.path of config.json must be an absolute path")
            _texts(_given(hook.get("args"), []), f"hooks.{kind}.args")
            _texts(_given(hook.get("env"), []), f"hooks.{kind}.env")
            timeout = hook.get("timeout")
            if timeout is not None and (not _is_number(timeout) or timeout <= 0):
                raise BundleError(f"hooks.{kind}.timeout of config.json must be a number above 0")


def _annotations(value: Any) -> dict[str, str]:
    for name, text in _object(value, "annotations").items():
        _text(text, f"annotations.{name}")
        if not name:
            raise BundleError("annotations of config.json must have names")
    return dict(value)


def _binds(bundle: str, mounts: Any) -> dict[bytes, bytes]:
    """Where files of the container come from, as far as this host can know it."""
    found = {}
    for entry in _list(mounts, "mounts"):
        mount = _object(entry, "mounts")
        destination = _text(mount.get("destination"), "mounts.destination")
        options = _texts(_given(mount.get("options"), []), "mounts.options")
        source = _text(_given(mount.get("source"), ""), "mounts.source")
        bound = "bind" in options or "rbind" in options or mount.get("type") == "bind"
        if bound and not source:
            raise BundleError(f"the bind mount {destination} of config.json has no source")
        path = os.path.join(bundle, source) if bound else ""
        found[_bytes(destination, "mounts.destination")] = _bytes(path, "mounts.source")
    return found


# --- types -----------------------------------------------------------------------------------------------------


def _given(value: Any, default: Any) -> Any:
    """The value; null counts as absent, other empty values are what they are."""
    return default if value is None else value


def _demanded(values: dict[str, Any], name: str, prefix: str) -> Any:
    value = values.get(name)
    if value is None:
        raise BundleError(f"{prefix}{name} is missing in config.json")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BundleError(f"{name} must be an object" + ("" if name == "config.json" else " in config.json"))
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list):
        raise BundleError(f"{name} of config.json must be a list")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BundleError(f"{name} of config.json must be a text")
    return value


def _texts(value: Any, name: str) -> list[str]:
    return [_text(word, name) for word in _list(value, name)]


def _flag(value: Any, name: str) -> bool:
    if not isinstance(value, bool | None):
        raise BundleError(f"{name} of config.json must be true or false")
    return bool(value)


def _bytes(text: str, name: str) -> bytes:
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise BundleError(f"{name} of config.json has a character that no byte stands for") from None
    if b"\0" in data:
        raise BundleError(f"{name} of config.json has a character 0")
    return data
