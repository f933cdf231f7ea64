"""Sysctls, domain name, OOM score: what a container has of them for itself on a node, and what is the node's alone.

A namespace of its own brings some with it. In a user namespace the kernel lets its root set those of System V IPC
(Linux 6.18 does; where one does not, the runtime says so) and of a network, but not the domain name, which docker
writes as a sysctl: it goes by ``domainname``. crun 1.8.1 takes that whatever ``ociVersion`` says; runc 1.1.5 ignores it
without a word, and nothing tells which runc a node has.
"""

import re
from collections.abc import Collection
from typing import Any

from proto.value import Value

IPC = re.compile(r"kernel\.(msg(max|mnb|mni)|sem|shm(all|max|mni)|shm_rmid_forced)$|fs\.mqueue\.")
DOMAIN = "kernel.domainname"
ENGINES = frozenset(("net.ipv4.ping_group_range", "net.ipv4.ip_unprivileged_port_start"))
"""Engines set them by themselves."""


class OwnSettings(Value):
    """What comes of them on a node.

    Attributes:
        sysctl: ``linux.sysctl``.
        domain: ``domainname``.
        refused: one sentence for each that cannot be had.

    """

    sysctl: dict[str, str] = {}
    domain: str = ""
    refused: tuple[str, ...] = ()


def own_settings(config: dict[str, Any], namespaces: Collection[str], *, crun: bool) -> OwnSettings:
    """Judge them.

    Args:
        config: the engine's config.json.
        namespaces: types of those that the container has for itself on a node.
        crun: whether crun is the node's runtime.

    """
    asked = {name: value for name, value in _sysctl(config).items() if name not in ENGINES}
    by_sysctl = asked.pop(DOMAIN, "")
    domain = config.get("domainname") or by_sysctl
    refused = [sentence for name in asked if (sentence := _refusal(name, namespaces))]
    kept = {name: value for name, value in asked.items() if not _refusal(name, namespaces)}
    if domain and not ("uts" in namespaces and (crun or "user" not in namespaces)):
        refused.append(
            f"the domain name {domain} cannot be had: that takes --uts=private, and crun as the nodes' runtime"
        )
    elif domain and not crun:
        kept[DOMAIN] = domain  # root of the node may write it
        domain = ""
    return OwnSettings(kept, domain if "uts" in namespaces else "", tuple(refused))


def _sysctl(config: dict[str, Any]) -> dict[str, str]:
    return (config.get("linux") or {}).get("sysctl") or {}


def _refusal(name: str, namespaces: Collection[str]) -> str:
    """Why a sysctl cannot be had, or nothing."""
    name = name.replace("/", ".")
    if IPC.match(name):
        return "" if "ipc" in namespaces else f"sysctl {name} cannot be had with the node's own IPC: give --ipc=private"
    if name.startswith("net."):
        if "network" in namespaces:
            return ""
        return (
            f"sysctl {name} cannot be had with the node's network, which a container has unless it has none: give "
            "--annotation scrun.container-network=none, or leave the sysctl out"
        )
    return f"sysctl {name} is the node's for all its jobs and cannot be had; leave it out"
