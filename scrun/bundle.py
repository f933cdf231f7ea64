"""Reads and checks a bundle's config.json: everything that can be known to be wrong is said at ``create``.

Only what scrun uses itself is checked, for the runtime on the node checks the rest; unknown properties are
ignored, as the specification demands. Nothing here changes the config.
"""

import json
import os
import stat
from typing import Any

from proto.errors import BundleError, reason
from proto.value import Value

from . import hook_config
from .config_types import as_bytes, as_flag, as_list, as_object, as_text, as_texts, demanded, given, is_number
from .hook_config import Hook

SIZE_LIMIT = 16 << 20
DEPTH_LIMIT = 64


class Bundle(Value):
    """What ``create`` needs of a bundle.

    Attributes:
        path: absolute path of the bundle.
        data: config.json as it was read, byte for byte.
        oci_version, rootfs, readonly, terminal, cwd, args, env, annotations: from there.
        binds: destination to source of the mounts; the source is empty where its contents are not known here.
        resources: ``linux.resources``.
        hooks: those that run on this host, by kind.

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
    binds: dict[bytes, bytes] = {}
    resources: dict[str, Any] = {}
    hooks: dict[str, tuple[Hook, ...]] = {}

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
        raise BundleError(f"there is no bundle directory {path}")
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
    return as_object(value, "config.json")


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
    root = as_object(demanded(config, "root", ""), "root")
    process = as_object(demanded(config, "process", ""), "process")
    linux = as_object(given(config.get("linux"), {}), "linux")
    args = as_texts(demanded(process, "args", "process."), "process.args")
    if not args or not args[0]:
        raise BundleError("process.args of config.json must have at least one word")
    cwd = as_text(demanded(process, "cwd", "process."), "process.cwd")
    if not cwd.startswith("/"):
        raise BundleError(f"process.cwd of config.json must be an absolute path, not {cwd!r}")
    _check_user(process.get("user"))
    _check_types(process.get("rlimits"), "process.rlimits")
    _check_types(linux.get("namespaces"), "linux.namespaces")
    return Bundle(
        path=path,
        data=data,
        oci_version=_version(as_text(demanded(config, "ociVersion", ""), "ociVersion")),
        rootfs=_rootfs(path, as_text(demanded(root, "path", "root."), "root.path")),
        readonly=as_flag(root.get("readonly"), "root.readonly"),
        terminal=as_flag(process.get("terminal"), "process.terminal"),
        cwd=as_bytes(cwd, "process.cwd"),
        args=tuple(as_bytes(word, "process.args") for word in args),
        env=tuple(as_bytes(word, "process.env") for word in as_texts(given(process.get("env"), []), "process.env")),
        annotations=_annotations(given(config.get("annotations"), {})),
        binds=_binds(path, given(config.get("mounts"), [])),
        resources=as_object(given(linux.get("resources"), {}), "linux.resources"),
        hooks=hook_config.read(config.get("hooks")),
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
        raise BundleError(f"there is no directory {rootfs}, which config.json names as root.path")
    return rootfs


def _check_user(user: Any) -> None:
    for name, value in as_object(given(user, {}), "process.user").items():
        if name in {"uid", "gid", "umask"} and (not is_number(value) or value < 0):
            raise BundleError(f"process.user.{name} of config.json must be a number")
        if name == "additionalGids":
            for gid in as_list(value, "process.user.additionalGids"):
                if not is_number(gid) or gid < 0:
                    raise BundleError("process.user.additionalGids of config.json must be numbers")


def _check_types(entries: Any, name: str) -> None:
    """Check a list of objects each of which has a ``type`` of its own."""
    seen = set()
    for entry in as_list(given(entries, []), name):
        kind = as_text(as_object(entry, name).get("type"), f"{name}.type")
        if kind in seen:
            raise BundleError(f"{name} of config.json has {kind} twice")
        seen.add(kind)


def _annotations(value: Any) -> dict[str, str]:
    for name, text in as_object(value, "annotations").items():
        as_text(text, f"annotations.{name}")
        if not name:
            raise BundleError("annotations of config.json must have names")
    return dict(value)


def _binds(bundle: str, mounts: Any) -> dict[bytes, bytes]:
    """Where files of the container come from, as far as this host can know it."""
    found = {}
    for entry in as_list(mounts, "mounts"):
        mount = as_object(entry, "mounts")
        destination = as_text(mount.get("destination"), "mounts.destination")
        options = as_texts(given(mount.get("options"), []), "mounts.options")
        source = as_text(given(mount.get("source"), ""), "mounts.source")
        bound = "bind" in options or "rbind" in options or mount.get("type") == "bind"
        if bound and not source:
            raise BundleError(f"the bind mount {destination} of config.json has no source")
        path = os.path.join(bundle, source) if bound else ""
        found[as_bytes(destination, "mounts.destination")] = as_bytes(path, "mounts.source")
    return found
