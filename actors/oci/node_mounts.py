"""What becomes of each mount of config.json on a node.

The engines mix three kinds of sources: paths that every machine has (``/proc``, ``/sys``), paths that the user
named and that a shared file system shows to the node, and paths that only this host has (``hostname``, ``hosts``,
``.containerenv``, secrets: below a run directory of the engine, or on a tmpfs). The last kind is copied into the
bundle. Pure: what has to be known of the sources is looked up before (``bind_facts``).
"""

import os
import stat
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from proto.value import Value

from .id_maps import IdMap, is_mapped

Mount = dict[str, Any]
Kind = Literal["file", "directory", "device", "other", "missing"]

# On every host, and never the same file on two of them.
LOCAL_FILE_SYSTEMS = frozenset(("tmpfs", "ramfs", "overlay", "fuse.fuse-overlayfs"))
# Written by the engine for each container, wherever its data directory is.
_GENERATED = frozenset(("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets"))
# The engine's init, installed with the engine, which a node need not have.
_INIT = frozenset(("/run/podman-init", "/dev/init", "/sbin/docker-init"))
# What a privileged container may want of a node's devices; its list names the devices of the submit host.
_USEFUL_DEVICES = (
    "/dev/nvidia",
    "/dev/dri",
    "/dev/kfd",
    "/dev/infiniband",
    "/dev/fuse",
    "/dev/kvm",
    "/dev/net/tun",
)
_BASIC_DEVICES = frozenset(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom", "tty"))
_NODES_OWN = ("/proc", "/sys")
SHM_SIZE = 65536 * 1024
_SYS: Mount = {
    "destination": "/sys",
    "type": "bind",
    "source": "/sys",
    "options": ["rprivate", "nosuid", "noexec", "nodev", "ro", "rbind"],
}


class BindFact(Value):
    """What is known of a bind mount's source on this host.

    Attributes:
        kind: what it is.
        file_system: type of the file system that it is on, empty if unknown.
        capacity: bytes of that file system if it is a tmpfs, else 0.

    """

    kind: Kind = "missing"
    file_system: str = ""
    capacity: int = 0


class Copy(Value):
    """One source to be copied to ``BUNDLE/mounts/INDEX``."""

    source: str
    index: int
    kind: Kind


class MountRules(Value):
    """What the mounts are judged by.

    Attributes:
        content: absolute path of the directory that has ``mounts`` on the node.
        uid_map, gid_map: ids of the container.
        namespaces: types of the namespaces that the container gets on the node.
        bind_rules: the site's pairs of path prefix and ``keep``, ``copy`` or ``drop``; the first that fits decides.
        local_prefixes: directories whose contents only this host has.
        facts: what is known of the sources.
        privileged: whether the container asks for all devices.

    """

    content: str
    uid_map: IdMap
    gid_map: IdMap
    namespaces: frozenset[str]
    bind_rules: tuple[tuple[str, str], ...] = ()
    local_prefixes: tuple[str, ...] = ()
    facts: Mapping[str, BindFact] | None = None
    privileged: bool = False


def node_mounts(mounts: Iterable[Mount], rules: MountRules) -> tuple[list[Mount], list[Copy], list[str]]:
    """Return the mounts for the node, what to copy, and one sentence for each thing that was left out."""
    judge = _Judge(rules)
    kept = [fitted for mount in mounts if (fitted := judge.judge(mount)) is not None]
    return kept, judge.copies, judge.notes


class _Judge:
    def __init__(self, rules: MountRules) -> None:
        self.rules = rules
        self.copies: list[Copy] = []
        self.notes: list[str] = []

    def judge(self, mount: Mount) -> Mount | None:
        kind = mount.get("type", "bind" if is_bind(mount) else "")
        destination = os.path.normpath(mount.get("destination", "/"))
        user_namespace = "user" in self.rules.namespaces
        if kind == "cgroup":
            return None  # the node's own hierarchy is below /sys
        if kind == "proc" and user_namespace and "pid" not in self.rules.namespaces:
            return {
                **mount,
                "type": "bind",
                "source": "/proc",
                "options": ["rbind", "nosuid", "noexec", "nodev"],
            }
        if kind == "sysfs" and "network" not in self.rules.namespaces:
            writable = "rw" in mount.get("options", ())
            options = [word for word in _SYS["options"] if not (writable and word == "ro")]
            return {**_SYS, "destination": destination, "options": options}
        if kind == "mqueue" and user_namespace and "ipc" not in self.rules.namespaces:
            self.notes.append(f"mount {destination}: the node's message queues cannot be mounted without --ipc=private")
            return None
        fitted = self._options(mount)
        if kind == "overlay":
            return self._overlay(fitted, destination)
        if is_bind(mount):
            return self._bind(fitted, destination)
        return fitted

    def _options(self, mount: Mount) -> Mount:
        fitted = {key: value for key, value in mount.items() if key not in {"uidMappings", "gidMappings"}}
        options = [word for word in mount.get("options") or () if self._possible(word)]
        fitted.pop("options", None)
        if options:
            fitted["options"] = options
        return fitted

    def _possible(self, option: str) -> bool:
        """An id that is not mapped, or an id-mapped mount, makes mount(2) fail in a user namespace."""
        name, _, value = option.partition("=")
        if name in {"uid", "gid"} and value.isdigit():
            return is_mapped(self.rules.uid_map if name == "uid" else self.rules.gid_map, int(value))
        return name not in {"idmap", "ridmap"}

    def _overlay(self, mount: Mount, destination: str) -> Mount | None:
        # podman's "-v SOURCE:DEST:O": changes are thrown away at the end, so a copy is as good.
        lower = next((word[9:] for word in mount.get("options", ()) if word.startswith("lowerdir=")), "")
        if not lower or ":" in lower:
            self.notes.append(f"mount {destination}: an overlay of several directories cannot go to a node")
            return None
        return self._copy({"destination": destination, "type": "bind", "options": ["rbind", "rprivate"]}, lower)

    def _bind(self, mount: Mount, destination: str) -> Mount | None:
        source = self._absolute(mount.get("source", ""))
        mount = {**mount, "source": source}
        for prefix, action in self.rules.bind_rules:
            if is_below(source, prefix):
                if action == "copy":
                    return self._copy(mount, source)
                return mount if action == "keep" else None
        if any(is_below(source, own) for own in _NODES_OWN):
            return mount
        fact = self._fact(source)
        if destination == "/dev/shm":  # noqa: S108 - the container's, not a temporary file of ours
            if source == destination and "ipc" not in self.rules.namespaces:
                return mount
            size = fact.capacity or SHM_SIZE
            options = ["nosuid", "noexec", "nodev", "mode=1777", f"size={size}"]
            return {"destination": destination, "type": "tmpfs", "source": "shm", "options": options}
        if is_below(source, "/dev"):
            return mount if self._wanted_device(source, destination) else None
        if self._local(source, destination, fact):
            return self._copy(mount, source)
        return mount

    def _wanted_device(self, source: str, destination: str) -> bool:
        if not self.rules.privileged or source != destination:
            return True
        return source not in _BASIC_DEVICES and source.startswith(_USEFUL_DEVICES)

    def _local(self, source: str, destination: str, fact: BindFact) -> bool:
        return (
            any(is_below(source, prefix) for prefix in self.rules.local_prefixes)
            or fact.file_system in LOCAL_FILE_SYSTEMS
            or (destination in _GENERATED and source != destination)
            or (destination in _INIT and fact.kind == "file")
        )

    def _copy(self, mount: Mount, source: str) -> Mount | None:
        kind = self._fact(source).kind
        destination = mount["destination"]
        if kind not in {"file", "directory"}:
            word = {"missing": "does not exist", "device": "is a device"}.get(kind, "is a socket or a pipe")
            self.notes.append(f"mount {destination}: {source} {word} of this host and cannot go to a node")
            return None
        index = len(self.copies)
        self.copies.append(Copy(source, index, kind))
        return {**mount, "source": f"{self.rules.content}/mounts/{index}"}

    def _fact(self, source: str) -> BindFact:
        # Without any look at the sources (a test, a dry run) a file is what the engines' own sources are.
        facts = self.rules.facts
        return BindFact("file") if facts is None else facts.get(source, BindFact())

    def _absolute(self, source: str) -> str:
        return os.path.normpath(source) if source.startswith("/") else source


def from_bundle(mounts: Iterable[Mount], bundle: str) -> list[Mount]:
    """The mounts with absolute sources: a relative one of a bind mount begins at the bundle, which the node has not."""
    return [
        {**mount, "source": os.path.normpath(os.path.join(bundle, mount.get("source", "")))}
        if is_bind(mount)
        else mount
        for mount in mounts
    ]


def is_bind(mount: Mount) -> bool:
    return mount.get("type") == "bind" or bool({"bind", "rbind"} & set(mount.get("options") or ()))


def is_below(path: str, prefix: str) -> bool:
    prefix = prefix.rstrip("/")
    return path == prefix or path.startswith(prefix + "/")


def keep_device(path: str, *, privileged: bool) -> bool:
    """Whether a device of ``linux.devices`` goes to the node: not the whole list of a privileged container."""
    return not privileged or path.startswith(_USEFUL_DEVICES)


def file_kind(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "directory"
    return "device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "other"
