"""Judges where podman keeps its images: storage.conf, and the file system that it leads to."""

import tomllib
from collections.abc import Callable
from typing import Any

from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from scrun.host import Host

from .finding import Finding, fault, ok, warning

SITE = "/etc/containers/storage.conf"
LINES = (
    "[storage]",
    'driver = "overlay"',
    'runroot = "/run/containers/storage"',
    'graphroot = "/var/lib/containers/storage"',
    'rootless_storage_path = "/var/lib/user-containers/$USER"  # a local disk; the directory above it of mode 1777',
)
SYSTEM = "/usr/share/containers/storage.conf"


def podman_storage(host: Host) -> Finding:
    """Can podman keep images where it wants to?"""
    if not host.find("podman"):
        return ok("podman is not installed")
    who = host.caller
    config = host.environ.get("XDG_CONFIG_HOME") or f"{who.home}/.config"
    data = host.environ.get("XDG_DATA_HOME") or f"{who.home}/.local/share"
    named = host.environ.get("CONTAINERS_STORAGE_CONF", "")
    users = f"{config}/containers/storage.conf" if who.uid else ""
    place = next((path for path in (named, users, SITE, SYSTEM) if path and host.exists(path)), "")
    try:
        storage = tomllib.loads(host.read(place) or "").get("storage") or {}
        own = place in {named, users}
        path = graph_root(storage, who.uid, own=own, data=data, names={"USER": who.user, "HOME": who.home})
    except (tomllib.TOMLDecodeError, AttributeError, TypeError):
        return fault(f"{place} is no valid TOML, so podman does not run at all")
    mounts = current_mounts()
    return judge_storage(path, lambda each: file_system(each, mounts))


def graph_root(storage: dict[str, Any], uid: int, *, own: bool, data: str, names: dict[str, str]) -> str:
    """Where images are, by the table [storage] of the one file that counts (containers-storage.conf(5)).

    Args:
        storage: the table.
        uid: of the user; root's file means what it says.
        own: whether the file is the user's; of the site's one a user gets ``rootless_storage_path`` alone.
        data: the user's directory for data.
        names: values of the variables that may be in the path, besides ``$UID``.

    """
    if not uid:
        return str(storage.get("graphroot") or "/var/lib/containers/storage")
    path = str(storage.get("rootless_storage_path") or "")
    if own and not path:
        path = str(storage.get("graphroot") or "")
    for name, value in {"UID": str(uid), **names}.items():
        path = path.replace(f"${name}", value)
    return path or f"{data}/containers/storage"


def judge_storage(path: str, kind_of: Callable[[str], str]) -> Finding:
    """Judge by the type of the file system: a network's takes no chown, which most images need (containers(7))."""
    kind = kind_of(path)
    if kind not in NETWORK_FILE_SYSTEMS:
        return ok(f"images are in {path}, on {kind or 'an unknown file system'}")
    return warning(
        f"images are in {path} on {kind}, which takes no files of other owners: podman can unpack few of them there",
        SITE, *LINES,
    )  # fmt: skip
