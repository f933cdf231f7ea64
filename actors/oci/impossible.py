"""What config.json asks for and no node can do: each a sentence, at ``create``, before a job is asked for.

Here is only what nobody asks for by default. Limits, the control group, the OOM score and the labels of security
modules are in the config.json of any container, by the engine's own choice or the site's: what becomes of those is in
docs/engine-options.md.
"""

from collections.abc import Collection
from typing import Any

from .bind_source import is_below, is_bind, is_engines
from .node_process import can_score
from .own_settings import own_settings

_SLURMS = "is Slurm's affair on a node; leave it out, or ask for it by an option of the job (annotation scrun.…)"
PROPERTIES = (
    (("linux", "intelRdt"), f"a class of cache and memory bandwidth (--rdt-class) {_SLURMS}"),
    (("linux", "memoryPolicy"), f"a memory policy (linux.memoryPolicy of config.json) {_SLURMS}"),
    (("process", "scheduler"), f"a scheduling policy (process.scheduler of config.json) {_SLURMS}"),
    (("process", "ioPriority"), f"an I/O priority (process.ioPriority of config.json) {_SLURMS}"),
    (("process", "execCPUAffinity"), f"an affinity (process.execCPUAffinity of config.json) {_SLURMS}"),
    (("linux", "timeOffsets"), "a clock of its own (linux.timeOffsets of config.json) no container has on a node"),
    (
        ("linux", "netDevices"),
        "a network device (linux.netDevices of config.json) cannot be moved into a container on a node",
    ),
    (
        ("linux", "seccomp", "listenerPath"),
        "whoever listens at linux.seccomp.listenerPath of config.json is on this host, and the container is not",
    ),
)
"""Properties that no engine sets by itself, and the sentence about each."""
NOTIFY = "NOTIFY_SOCKET="


def impossible(config: dict[str, Any], namespaces: Collection[str], *, crun: bool) -> str:
    """The first thing that no node can do, one sentence; empty if there is none.

    Args:
        config: the engine's config.json.
        namespaces: types of those that the container has for itself on a node.
        crun: whether crun is the node's runtime.

    """
    found = [sentence for path, sentence in PROPERTIES if _value(config, path)]
    found += own_settings(config, namespaces, crun=crun).refused
    score = (config.get("process") or {}).get("oomScoreAdj", 0)
    if score and not can_score(score, root="user" not in namespaces):
        found.append(f"an OOM score of {score} can be had on a node by root alone: give --oom-score-adj of 0 or more")
    if _wants_to_notify(config):
        found.append(
            "the program would tell systemd on this host that it is ready, by a socket that no node can reach: give "
            "--sdnotify=conmon or --sdnotify=ignore"
        )
    return found[0] if found else ""


def _value(config: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = config
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _wants_to_notify(config: dict[str, Any]) -> bool:
    """Whether the engine hands the program its socket for READY=1; a variable without a mount is the user's own."""
    named = [word[len(NOTIFY) :] for word in (config.get("process") or {}).get("env") or () if word.startswith(NOTIFY)]
    return any(
        is_bind(mount) and is_engines(mount.get("source") or "") and is_below(path, mount["destination"])
        for mount in config.get("mounts") or ()
        for path in named
    )
