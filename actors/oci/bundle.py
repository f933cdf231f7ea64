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

from . import config_form, hook_config
from .config_file import SIZE_LIMIT
from .hook_config import Hook

ARGUMENT_LIMIT = (128 << 10) - 1
"""Bytes of one argument, its null byte left out (execve(2), MAX_ARG_STRLEN)."""
ARGUMENTS_LIMIT = 2 << 20
"""Bytes of all arguments with their null bytes: a quarter of the usual limit of the stack (execve(2))."""


class Bundle(Value):
    """What ``create`` needs of a bundle.

    Attributes:
        path: absolute path of the bundle.
        data: config.json as it was read, byte for byte.
        oci_version, rootfs, readonly, terminal, cwd, args, env, annotations: from there.
        binds: destination to source of the mounts; the source is empty where its contents are not known here.
        resources: ``linux.resources``.
        config: what is in config.json.
        hooks: those that run on this host, by kind.
        tells: whether the node's config.json tells what no other user should read (``hook_config.node_environment``).

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
    config: dict[str, Any] = {}
    hooks: dict[str, tuple[Hook, ...]] = {}
    tells: bool = False

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
        value = json.loads(data.decode(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        # crun refuses such a file, runc changes it without a word.
        raise BundleError(f"config.json is not valid JSON: not UTF-8 from byte {error.start} on (RFC 8259)") from None
    except ValueError as error:
        raise BundleError(f"config.json is not valid JSON: {error}") from None
    except RecursionError:
        raise BundleError("config.json is nested too deeply") from None
    if wrong := config_form.fault(value):
        raise BundleError(wrong)
    config: dict[str, Any] = config_form.without_nulls(value)
    return config


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number")


# --- the properties --------------------------------------------------------------------------------------------


def check(path: str, data: bytes, config: dict[str, Any]) -> Bundle:
    """Check a config whose form is right, and pick what ``create`` needs.

    Raises:
        BundleError: with a sentence that names the property.

    """
    root = _demanded(config, "root", "")
    process = _demanded(config, "process", "")
    linux = config.get("linux") or {}
    args = _arguments(_demanded(process, "args", "process."))
    cwd = _demanded(process, "cwd", "process.")
    if not cwd.startswith("/"):
        raise BundleError(f"process.cwd of config.json must be an absolute path, not {cwd!r}")
    _check_unique(process.get("rlimits"), "process.rlimits")
    _check_unique(linux.get("namespaces"), "linux.namespaces")
    annotations = config.get("annotations") or {}
    if "" in annotations:
        raise BundleError("annotations of config.json must have names")
    return Bundle(
        path=path,
        data=data,
        oci_version=_version(_demanded(config, "ociVersion", "")),
        rootfs=_rootfs(path, _demanded(root, "path", "root.")),
        readonly=bool(root.get("readonly")),
        terminal=bool(process.get("terminal")),
        cwd=_bytes(cwd),
        args=args,
        env=tuple(map(_bytes, process.get("env") or ())),
        annotations=annotations,
        binds=_binds(path, config.get("mounts") or ()),
        resources=linux.get("resources") or {},
        config=config,
        hooks=hook_config.read(config.get("hooks") or {}),
        tells=hook_config.node_environment(config.get("hooks") or {}),
    )


def _demanded(values: dict[str, Any], name: str, prefix: str) -> Any:
    value = values.get(name)
    if value is None:
        raise BundleError(f"{prefix}{name} is missing in config.json")
    return value


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _version(version: str) -> str:
    """``1.0.2``, ``1.0.2-dev``, ``1.2.0+vendor``; everything of major version 1 is compatible."""
    numbers = version.partition("+")[0].partition("-")[0].split(".")
    if len(numbers) != 3 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise BundleError(f"ociVersion of config.json is no version: {version!r}")
    if numbers[0] != "1":
        raise BundleError(f"ociVersion {version} of config.json is not supported: scrun knows 1.x")
    return version


def _rootfs(bundle: str, path: str) -> str:
    if not path:
        raise BundleError("root.path of config.json must name a directory")
    rootfs = os.path.normpath(os.path.join(bundle, path))
    if not os.path.isdir(rootfs):
        raise BundleError(f"there is no directory {rootfs}, which config.json names as root.path")
    return rootfs


def _arguments(words: list[str]) -> tuple[bytes, ...]:
    """The program's arguments; what no kernel would take is refused here and not on the node."""
    if not words:
        raise BundleError("process.args of config.json must have at least one word")
    args = tuple(map(_bytes, words))
    longest, total = max(map(len, args)), sum(len(word) + 1 for word in args)
    if longest > ARGUMENT_LIMIT:
        raise BundleError(f"process.args has a word of {longest} bytes; Linux takes {ARGUMENT_LIMIT} at most")
    if total > ARGUMENTS_LIMIT:
        raise BundleError(f"process.args has {total} bytes; Linux takes {ARGUMENTS_LIMIT} at most")
    return args


def _check_unique(entries: Any, name: str) -> None:
    seen = set()
    for entry in entries or ():
        kind = _demanded(entry, "type", f"{name}.")
        if kind in seen:
            raise BundleError(f"{name} of config.json has {kind} twice")
        seen.add(kind)


def _binds(bundle: str, mounts: Any) -> dict[bytes, bytes]:
    """Where files of the container come from, as far as this host can know it."""
    found = {}
    for mount in mounts:
        destination = _demanded(mount, "destination", "mounts.")
        options = mount.get("options") or ()
        source = mount.get("source") or ""
        bound = "bind" in options or "rbind" in options or mount.get("type") == "bind"
        if bound and not source:
            raise BundleError(f"the bind mount {destination} of config.json has no source")
        found[_bytes(destination)] = _bytes(os.path.join(bundle, source)) if bound else b""
    return found
