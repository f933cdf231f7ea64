"""What a node has to do to give a container a device, as calls of the functions of ``actors/programs/node_gpus.sh``.

A line each, so that what two devices have in common is done once. All words are quoted for the shell.
"""

import shlex
from collections.abc import Iterable, Mapping

from .specification import Device, Hook, Mount

UNREACHED = "startContainer"
"""Hooks that run in the container, where the node's program is not."""
_PROPAGATION = frozenset(("private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable"))


def calls(device: Device, places: Mapping[str, str]) -> tuple[str, ...]:
    """All that a device needs, in the order in which it is to be done.

    Args:
        device: the device.
        places: where a path of it leads in the container; no link is on the way.

    """
    both = (device.common, device.own)
    return (
        *(_call("variable", entry) for edits in both for entry in edits.env),
        *(_call("device", node.source, places.get(node.path, node.path)) for edits in both for node in edits.nodes),
        *(_mount(mount, places.get(mount.path, mount.path)) for edits in both for mount in edits.mounts),
        *(_hook(hook) for edits in both for hook in edits.hooks if hook.moment != UNREACHED),
    )


def moments(devices: Iterable[Device]) -> frozenset[str]:
    """When the node's program has to be called: always when the container's mounts are made."""
    found = {hook.moment for device in devices for edits in (device.common, device.own) for hook in edits.hooks}
    return frozenset({"createContainer", *found} - {UNREACHED})


def variables(devices: Iterable[Device]) -> frozenset[str]:
    """Names of the variables that they set."""
    entries = [entry for device in devices for edits in (device.common, device.own) for entry in edits.env]
    return frozenset(entry.partition("=")[0] for entry in entries)


def destinations(devices: Iterable[Device]) -> dict[str, str]:
    """Where in a container something is mounted, and what of the node, or nothing for a file system of its own."""
    found: dict[str, str] = {}
    for device in devices:
        for edits in (device.common, device.own):
            found |= {node.path: node.source for node in edits.nodes}
            found |= {mount.path: "" if _is_file_system(mount.kind) else mount.source for mount in edits.mounts}
    return found


def _mount(mount: Mount, place: str) -> str:
    if _is_file_system(mount.kind):
        return _call("file_system", mount.kind, place, ",".join(mount.options) or "defaults")
    words = [word for word in mount.options if word not in {"bind", "rbind", *_PROPAGATION}]
    return _call("part", mount.source, place, ",".join(words))


def _is_file_system(kind: str) -> bool:
    return kind not in {"", "bind", "none"}


def _hook(hook: Hook) -> str:
    limit = ("timeout", str(hook.timeout)) if hook.timeout else ()
    environment = ("env", "-i", *hook.env) if hook.env else ()
    return _call("hook", hook.moment, *limit, *environment, hook.path, *hook.args[1:])


def _call(function: str, *words: str) -> str:
    return shlex.join((function, *words))
