"""What of GPUs an engine's user has asked for, read from config.json, and config.json without it.

=====================================  ===========================================================================
``--gpus`` of docker                   a hook of NVIDIA's and ``NVIDIA_VISIBLE_DEVICES``: a list, or ``all``
``--device VENDOR/gpu=…`` of both, and ``--gpus`` of podman 5
                                       what the CDI files of this host say, written into config.json by the engine
``-e NVIDIA_VISIBLE_DEVICES=0,1``      the variable alone; ``all`` is what images say by themselves, and asks nothing
=====================================  ===========================================================================

What this host's files say concerns this host's devices and drivers, so it is taken out again. Pure.
"""

import os
from collections.abc import Iterable
from typing import Any

from proto.value import Value

from .cdi.specification import Device, Edits

Config = dict[str, Any]

HOOKS = frozenset(("nvidia-container-runtime-hook", "nvidia-container-toolkit"))
"""By these docker, up to 28, has NVIDIA's tools give a container its GPUs."""
VARIABLES = ("NVIDIA_VISIBLE_DEVICES", "AMD_VISIBLE_DEVICES")
ALL = "all"
_NONE = frozenset(("", "none", "void"))


class GpuRequest(Value):
    """What is asked for.

    Attributes:
        count: how many GPUs: a number, ``all`` or nothing.
        config: config.json without this host's devices.

    """

    count: str
    config: Config


def gpu_request(config: Config, devices: Iterable[Device]) -> GpuRequest:
    """Read what is asked for.

    A device by the name ``all`` cannot be told from all others of this host together, so it is as many as there are. On
    a host whose file only has names for what the nodes have (docs/gpus.md), it is ``all``.

    Args:
        config: the engine's config.json, whose form is right.
        devices: what the CDI files of this host have.

    """
    given = [device for device in devices if device.own and _holds(config, device.own)]
    single = {device.own for device in given if device.name != ALL}  # a device may have two names
    count = str(len(single)) if single else ALL if given else _by_variable(config)
    for device in given:
        for edits in (device.own, device.common):
            config = _without(config, edits)
    return GpuRequest(count, config)


def _by_variable(config: Config) -> str:
    env = [str(entry) for entry in (config.get("process") or {}).get("env") or ()]
    hooked = any(
        os.path.basename(str(hook.get("path", ""))) in HOOKS
        for hook in (config.get("hooks") or {}).get("prestart") or ()
    )
    for variable in VARIABLES:
        value = next((entry.partition("=")[2] for entry in reversed(env) if entry.startswith(f"{variable}=")), "")
        if value in _NONE:
            continue
        if value == ALL:
            if hooked:
                return ALL
            continue
        return str(len({word for word in value.split(",") if word.strip()}) or "")
    return ""


def _holds(config: Config, edits: Edits) -> bool:
    """Whether all of it is in config.json."""
    env = set((config.get("process") or {}).get("env") or ())
    paths = {device.get("path") for device in (config.get("linux") or {}).get("devices") or ()}
    paths |= {mount.get("destination") for mount in config.get("mounts") or ()}
    return (
        set(edits.env) <= env
        and all(node.path in paths for node in edits.nodes)
        and all(mount.path in paths for mount in edits.mounts)
    )


def _without(config: Config, edits: Edits) -> Config:
    result = dict(config)
    places = {node.path for node in edits.nodes}
    mounted = {(mount.source, mount.path) for mount in edits.mounts} | {
        (node.source, node.path) for node in edits.nodes
    }
    called = {(hook.path, hook.args) for hook in edits.hooks}
    if process := config.get("process"):
        result["process"] = {**process, "env": [entry for entry in process.get("env") or () if entry not in edits.env]}
    if linux := config.get("linux"):
        kept = [device for device in linux.get("devices") or () if device.get("path") not in places]
        result["linux"] = {**linux, "devices": kept}
    result["mounts"] = [
        mount for mount in config.get("mounts") or () if (mount.get("source"), mount.get("destination")) not in mounted
    ]
    if hooks := config.get("hooks"):
        result["hooks"] = {
            moment: [hook for hook in entries or () if (hook.get("path"), tuple(hook.get("args") or ())) not in called]
            for moment, entries in hooks.items()
        }
    return result
