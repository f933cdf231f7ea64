"""Makes the config.json of an engine fit for an unprivileged OCI runtime on another machine.

What the engines write is meant for a runtime with an engine beside it: hooks that set up a network, limits and
control groups that only root may set, labels of the host's security modules. The node has slurmd beside it,
which does all of that itself. Pure: a dictionary goes in, another comes out.
"""

from collections.abc import Collection, Mapping
from typing import Any

from proto.value import Value

from .bind_source import BindFact
from .copies import Copy
from .entry import ENTRY_NAME
from .id_maps import IdMap, to_config
from .namespaces import own_namespaces
from .node_devices import keep_device
from .node_mounts import MountRules, node_mounts
from .node_process import node_process
from .own_settings import own_settings

Config = dict[str, Any]

# createContainer and startContainer run in the container's namespaces and may do what they like there.
_RUNTIME_HOOKS = ("prestart", "createRuntime", "poststart", "poststop")
_LINUX_DROPPED = (
    "resources",
    "cgroupsPath",
    "mountLabel",
    "intelRdt",
    "timeOffsets",
    "netDevices",
    "memoryPolicy",
)
OCI_VERSION = "1.0.2"
"""What every runtime of a node takes: crun before 1.9 refuses 1.1 and later, which podman 5 and docker 28 write."""


class NodePlan(Value):
    """What the node's config.json depends on besides the engine's.

    Attributes:
        content: absolute path of the directory with ``rootfs``, ``mounts`` and the entry file: the bundle that the
            node gets, or one in it.
        uid_map, gid_map: ids of the container on the node; empty means that the job runs as root without a user
            namespace of its own.
        entry: path of the entry file in the container, or empty for none; its source is
            ``CONTENT/.scrun-entry``.
        bind_rules: see ``MountRules``.
        local_prefixes: directories whose contents only this host has.
        facts: what is known of the bind mounts' sources, by path; ``None`` takes all for files.
        private_network: see ``own_network``.
        device_paths: where a device is on a host, by its name in the container.
        crun: whether crun is the node's runtime.

    """

    content: str
    uid_map: IdMap = ()
    gid_map: IdMap = ()
    entry: str = ""
    bind_rules: tuple[tuple[str, str], ...] = ()
    local_prefixes: tuple[str, ...] = ()
    facts: Mapping[str, BindFact] | None = None
    private_network: bool = False
    device_paths: Mapping[str, str] = {}
    crun: bool = True


class NodeConfig(Value):
    """The result.

    Attributes:
        config: config.json for the node.
        copies: what to copy into the bundle.
        notes: one sentence for each thing that the user asked for and does not get.

    """

    config: Config
    copies: tuple[Copy, ...] = ()
    notes: tuple[str, ...] = ()


def node_config(config: Config, plan: NodePlan) -> NodeConfig:
    """Return config.json for the node; the original is not changed.

    Raises:
        StagingError: the container's own user or group is not among the ids that it has on the node, or a mount of the
            user's has a source that cannot go there.

    """
    notes: list[str] = []
    dropped = {"hooks", "linux", "mounts", "process"}
    result = without_labels({key: value for key, value in config.items() if key not in dropped})
    result["ociVersion"] = OCI_VERSION
    result["root"] = {**(config.get("root") or {}), "path": f"{plan.content}/rootfs"}
    if config.get("process"):
        result["process"] = node_process(config["process"], plan.uid_map, plan.gid_map, crun=plan.crun)
    lost = _lost_groups(config.get("process") or {}, result.get("process") or {})
    if lost:
        why = "the container has no such ids on a node" if plan.crun else "runc gives none to a user's container"
        notes.append(f"the groups {lost} cannot be had: {why}")
    privileged = is_privileged(config)
    linux = config.get("linux") or {}
    namespaces = own_namespaces(config, network=plan.private_network, user=bool(plan.uid_map))
    if "uts" not in namespaces:
        result.pop("hostname", None)
    own = own_settings(config, namespaces, crun=plan.crun)
    notes += own.refused
    result.pop("domainname", None)
    if own.domain:
        result["domainname"] = own.domain
    rules = MountRules(
        content=plan.content,
        uid_map=plan.uid_map,
        gid_map=plan.gid_map,
        namespaces=frozenset(namespaces),
        bind_rules=plan.bind_rules,
        local_prefixes=plan.local_prefixes,
        facts=plan.facts,
        privileged=privileged,
    )
    mounts, copies, mount_notes = node_mounts(config.get("mounts") or [], rules)
    devices = [
        device
        for device in linux.get("devices") or ()
        if (path := device.get("path")) and keep_device(path, privileged=privileged)
    ]
    if plan.uid_map:
        # The kernel lets no runtime make device nodes in a user namespace, and crun fails if it is asked to.
        mounts += [_device_mount(device["path"], plan) for device in devices]
        devices = []
    if plan.entry:
        mounts.append(entry_mount(plan.entry, f"{plan.content}/{ENTRY_NAME}"))
    result["mounts"] = mounts
    result["linux"] = _linux(linux, plan, namespaces)
    if own.sysctl:
        result["linux"]["sysctl"] = own.sysctl
    if plan.entry:
        result = without_environment(result)
    if devices:
        result["linux"]["devices"] = devices
    hooks = {name: hooks for name, hooks in (config.get("hooks") or {}).items() if name not in _RUNTIME_HOOKS}
    if hooks:
        result["hooks"] = hooks
    return NodeConfig(result, tuple(copies), (*notes, *mount_notes))


def environment(config: Config) -> list[bytes]:
    """The container's variables, ``K=V``, as bytes."""
    env = (config.get("process") or {}).get("env") or ()
    return [str(entry).encode("utf-8", "surrogateescape") for entry in env]


def without_variables(config: Config, names: Collection[str]) -> Config:
    """A config.json without the variables of these names."""
    process = config.get("process")
    if not names or not process:
        return config
    kept = [entry for entry in process.get("env") or () if str(entry).partition("=")[0] not in names]
    return {**config, "process": {**process, "env": kept}}


def without_environment(config: Config) -> Config:
    """A config.json that does not show other users what the program is told.

    The entry file has the variables, and slurmstepd puts the command of the step in place of ``args`` (both seen with
    22.05 and 24.11).
    """
    process = config.get("process")
    return {**config, "process": {**process, "env": [], "args": ["scrun"]}} if process else config


def without_labels(config: Config) -> Config:
    """A config.json with those annotations only that are words to a runtime (``run.oci.…``).

    The others concern the engine and the user, and no other user of the node.
    """
    result = {key: value for key, value in config.items() if key != "annotations"}
    words = {key: value for key, value in (config.get("annotations") or {}).items() if key.startswith("run.oci.")}
    return {**result, "annotations": words} if words else result


def entry_mount(destination: str, source: str) -> dict[str, Any]:
    """The mount that puts the entry file into the container; the last of all, since it lies on ``/dev``."""
    return {
        "destination": destination,
        "type": "bind",
        "source": source,
        "options": ["bind", "rprivate", "ro", "nosuid", "nodev"],
    }


def _device_mount(path: str, plan: NodePlan) -> dict[str, Any]:
    """What rootless podman writes for a device."""
    return {
        "destination": path,
        "type": "bind",
        "source": plan.device_paths.get(path, path),
        "options": ["slave", "nosuid", "noexec", "rw", "rbind"],
    }


def _lost_groups(asked: Config, got: Config) -> str:
    """The additional groups that the program does not get, as a list to be read."""
    groups = [set((process.get("user") or {}).get("additionalGids") or ()) for process in (asked, got)]
    return ", ".join(map(str, sorted(groups[0] - groups[1] - {(asked.get("user") or {}).get("gid", 0)})))


def _linux(linux: Config, plan: NodePlan, namespaces: list[str]) -> Config:
    dropped = {*_LINUX_DROPPED, "namespaces", "uidMappings", "gidMappings", "sysctl", "devices", "seccomp"}
    result = {key: value for key, value in linux.items() if key not in dropped}
    # Paths are left out: they name namespaces of the submit host.
    result["namespaces"] = [{"type": name} for name in namespaces]
    if plan.uid_map:
        result["uidMappings"] = to_config(plan.uid_map)
        result["gidMappings"] = to_config(plan.gid_map)
    seccomp = linux.get("seccomp")
    if seccomp:
        result["seccomp"] = {
            key: value for key, value in seccomp.items() if key not in {"listenerPath", "listenerMetadata"}
        }
    return result


def is_privileged(config: Config) -> bool:
    """``--privileged``: every capability, no system call filter; its devices are simply all of the host's."""
    bounding = ((config.get("process") or {}).get("capabilities") or {}).get("bounding") or ()
    return "CAP_SYS_ADMIN" in bounding and not (config.get("linux") or {}).get("seccomp")
