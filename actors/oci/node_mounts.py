"""What becomes of each mount of config.json on a node.

The engines mix three kinds of sources: paths that every machine has (``/proc``, ``/sys``), paths that the user
named and that a shared file system shows to the node, and paths that only this host has (``hostname``, ``hosts``,
``.containerenv``, secrets: below a run directory of the engine, or on a tmpfs). The last kind is copied into the
bundle. Pure: what has to be known of the sources is looked up before (``bind_facts``).
"""

import os
from collections.abc import Iterable, Mapping

from proto.errors import StagingError
from proto.value import Value

from .bind_source import (
    LOCAL_FILE_SYSTEMS,
    BindFact,
    Mount,
    is_below,
    is_bind,
    is_engines,
    is_read_only,
    lower_directories,
)
from .copies import Copy, nest
from .id_maps import IdMap, is_mapped
from .node_devices import keep_bound_device

# Written by the engine for each container, wherever its data directory is.
_GENERATED = frozenset(("/etc/hostname", "/etc/hosts", "/etc/resolv.conf", "/run/.containerenv", "/run/secrets"))
# The engine's init, installed with the engine, which a node need not have.
_INIT = frozenset(("/run/podman-init", "/dev/init", "/sbin/docker-init"))
# munged has its socket there, and without munge no machine is a node.
_NODES_OWN = ("/proc", "/sys", "/run/munge", "/var/run/munge")
SHM_SIZE = 65536 * 1024
_SYS: Mount = {
    "destination": "/sys",
    "type": "bind",
    "source": "/sys",
    "options": ["rprivate", "nosuid", "noexec", "nodev", "ro", "rbind"],
}


class MountRules(Value):
    """What the mounts are judged by.

    Attributes:
        content: absolute path of the directory that has ``mounts`` on the node.
        uid_map, gid_map: ids of the container.
        namespaces: types of the namespaces that the container gets on the node.
        bind_rules: the site's pairs of path prefix and ``keep``, ``copy``, ``discard`` or ``drop``; the first that fits
            decides.
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
    """Return the mounts for the node, what to copy, and one sentence for each thing that was left out.

    Raises:
        StagingError: a mount of the user's has a source that cannot go to a node.

    """
    judge = _Judge(rules)
    kept = [fitted for mount in mounts if (fitted := judge.judge(mount)) is not None]
    kept, copies = nest(kept, judge.copies, rules.facts or {}, rules.content)
    return kept, copies, judge.notes


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
        # podman's "-v SOURCE:DEST:O", and without an upper directory an image: changes are thrown away at the end, so a
        # copy is as good.
        lower = lower_directories(mount)
        if not lower:
            self.notes.append(f"mount {destination}: an overlay without lower directories cannot go to a node")
            return None
        options = ["rbind", "rprivate"]
        upper = [word[9:] for word in mount.get("options", ()) if word.startswith("upperdir=")]
        if not upper:
            options.append("ro")
        elif not is_engines(upper[-1]):
            raise StagingError(
                f"what is changed in {destination} is to be kept in {upper[-1]}, the upper directory of an overlay, "
                "which cannot be had on a node; mount the directory itself, or leave the upper directory to the engine"
            )
        bound = {"destination": destination, "type": "bind", "options": options}
        return self._copy(bound, lower[0], below=tuple(lower[1:]))

    def _bind(self, mount: Mount, destination: str) -> Mount | None:
        given = self._absolute(mount.get("source", ""))
        fact = self._fact(given)
        source = fact.place or given
        mount = {**mount, "source": source}
        engines = is_engines(given) or destination in _GENERATED or destination in _INIT
        returns = not engines and not is_read_only(mount)
        for prefix, action in self.rules.bind_rules:
            if is_below(given, prefix) or is_below(source, prefix):
                if action == "copy":
                    return self._copy(mount, source, fact, users=not engines, returns=returns)
                if action == "discard":
                    return self._copy(mount, source, fact)
                return mount if action == "keep" else None
        if any(is_below(source, own) for own in _NODES_OWN):
            return mount
        if destination == "/dev/shm" and (engines or source == destination):  # noqa: S108 - the container's
            if source == destination and "ipc" not in self.rules.namespaces:
                return mount
            size = fact.capacity or SHM_SIZE
            options = ["nosuid", "noexec", "nodev", "mode=1777", f"size={size}"]
            return {"destination": destination, "type": "tmpfs", "source": "shm", "options": options}
        if is_below(source, "/dev") and not source.startswith("/dev/shm/"):  # noqa: S108 - the user's
            wanted = keep_bound_device(source, destination, privileged=self.rules.privileged)
            return mount if wanted else None
        if fact.hidden:
            raise StagingError(
                f"what is mounted on {given} ({fact.hidden}) is nowhere else on this host, so no node can find it for "
                f"{destination}; mount it under a path of its own, and that in place of the volume"
            )
        if fact.kind in {"socket", "pipe"} or self._local(source, destination, fact):
            return self._copy(mount, source, fact, users=not engines, returns=returns)
        return mount

    def _local(self, source: str, destination: str, fact: BindFact) -> bool:
        return (
            any(is_below(source, prefix) for prefix in self.rules.local_prefixes)
            or fact.file_system in LOCAL_FILE_SYSTEMS
            or (destination in _GENERATED and source != destination)
            or (destination in _INIT and fact.kind == "file")
        )

    def _copy(
        self,
        mount: Mount,
        source: str,
        fact: BindFact | None = None,
        *,
        below: tuple[str, ...] = (),
        users: bool = False,
        returns: bool = False,
    ) -> Mount | None:
        kind = (fact or self._fact(source)).kind
        destination = mount["destination"]
        if kind not in {"file", "directory"}:
            word = "is not there" if kind == "missing" else f"is a {kind} of this host, which no node can reach"
            if users:
                raise StagingError(
                    f"{source}, which is wanted as {destination}, {word}; leave it out, or say keep for it in "
                    "[staging.binds] of scrun.toml if the nodes have one of their own"
                )
            self.notes.append(f"mount {destination}: {source} {word}")
            return None
        index = len(self.copies)
        self.copies.append(Copy(source, index, kind, destination, below, users, returns))
        return {**mount, "source": f"{self.rules.content}/mounts/{index}"}

    def _fact(self, source: str) -> BindFact:
        # Without any look at the sources (a test, a dry run) a file is what the engines' own sources are.
        facts = self.rules.facts
        return BindFact("file") if facts is None else facts.get(source, BindFact())

    def _absolute(self, source: str) -> str:
        return os.path.normpath(source) if source.startswith("/") else source
