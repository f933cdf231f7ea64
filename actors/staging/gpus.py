"""The GPUs of a container: what its nodes say of theirs is read before it starts, and put into the bundle for them.

Which of them a task is given only its node knows, when the task starts: so there is a file for each GPU of each node,
and a hook there does what is in those of its own (``actors/programs/node_gpus.sh``).
"""

import os
import stat
from collections.abc import Mapping
from typing import Any

from actors.oci.cdi.calls import calls, destinations, moments, variables
from actors.oci.cdi.files import host_registry
from actors.oci.cdi.specification import Device
from actors.oci.gpu_request import ALL, GpuRequest, gpu_request
from actors.oci.id_maps import IdMap, total
from actors.oci.image_path import resolve
from actors.oci.streams import Hooks
from actors.slurm import gpus as slurms
from actors.slurm.oci_conf import OciConf
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import Value

from . import node_gpus
from .bundle import Draft
from .commands import Commands
from .directory import staging_directory
from .files import make_directory, write_file
from .loglevel import Log
from .node_streams import GIVE, programs_directory, write_program
from .overlay.mount_points import behind_links
from .root_plan import PROGRAMS

_DIRECTORY, _FILE = "/", "/dev/null"


class Gpus(Value):
    """What a container gets because of its GPUs.

    Attributes:
        program: whether the node's program is in the bundle.
        hooks: of config.json.
        points: mounts as the root file system has to make room for them; their sources are of this host, and show
            whether it is for a directory or a file.
        hooked: whether a vendor's hooks write into the root file system.
        variables: names of those that the GPUs' own take the place of.

    """

    program: bool = False
    hooks: Hooks = {}
    points: tuple[dict[str, Any], ...] = ()
    hooked: bool = False
    variables: frozenset[str] = frozenset()


def host_request(config: dict[str, Any]) -> GpuRequest:
    """What of GPUs a config.json asks for, and the same without this host's files."""
    return gpu_request(config, host_registry().devices)


def stage_gpus(
    creation: Creation,
    config: dict[str, Any],
    conf: OciConf,
    draft: Draft,
    uid_map: IdMap,
    job: tuple[int, str],
    request: str,
    run: Commands,
    log: Log,
) -> Gpus:
    """Put into a bundle what its nodes need to give the container its GPUs.

    Args:
        creation: the container.
        config: its config.json, with mounts that are not behind links.
        conf: the site's oci.conf.
        draft: the bundle.
        uid_map: ids of the container on the node.
        job: its number, and its nodes as Slurm writes them, if that is known.
        request: what the engine's user asks for.
        run: runs commands.
        log: is told.

    Raises:
        StagingError: it has GPUs and could not get them.

    """
    nodes = _nodes(creation, *job, run)
    if not nodes:
        return Gpus()
    directory = programs_directory(draft.content)
    mode = stat.S_IMODE(os.stat(directory).st_mode)
    make_directory(f"{directory}/gpus", mode)
    write_program(directory, GIVE, "node_gpus.sh")
    if conf.gives_gpus:
        write_file(f"{directory}/gpus/toolkit", b"", 0o600)
        return Gpus(True, variables=frozenset(("NVIDIA_VISIBLE_DEVICES",)))
    memory = node_gpus.memory_in(staging_directory(creation))
    node_gpus.ask(memory, nodes, run, log)
    found = {node: node_gpus.described(memory, node, log) for node in nodes}
    given = [device for devices in found.values() for device in devices.values()]
    if given:
        _check(conf, uid_map)
    points = _points(creation, config, given, {node: node_gpus.noted(memory, node, "directories") for node in nodes})
    for node, devices in found.items():
        _write(f"{directory}/gpus/{node}", memory, node, devices, points, mode)
    write_file(f"{directory}/gpus/root", os.fsencode(f"{draft.root}\n"), 0o600)
    if request == ALL and slurms.is_whole(creation.settings.job):
        # A step has as many as its job has asked for, and a whole node has more.
        count = sum(len(node_gpus.numbered(memory, node)) for node in nodes)
        write_file(f"{directory}/gpus/count", f"{count or ''}\n".encode(), 0o600)
    program = f"{draft.final}/{PROGRAMS}/{GIVE}"
    hooks = {moment: [{"path": "/bin/sh", "args": ["sh", program, moment]}] for moment in sorted(moments(given))}
    hooked = any(edits.hooks for device in given for edits in (device.common, device.own))
    if hooked and creation.readonly:
        write_file(f"{directory}/gpus/readonly", b"", 0o600)
    return Gpus(True, hooks, tuple(points.values()), hooked, variables(given))


def _nodes(creation: Creation, job_id: int, nodes: str, run: Commands) -> list[str]:
    """The nodes of a job that has GPUs, or nothing."""
    if creation.settings.scrun.scheduler == "local":
        return []
    if creation.job_id:
        shown = _scontrol(run, "show", "job", "--details", str(job_id))
        if not slurms.has_gpus(shown):
            return []
        nodes = slurms.nodes(shown)
    elif not slurms.asks(creation.settings.job):
        return []
    return _scontrol(run, "show", "hostnames", nodes).split() if set(nodes) & set(",[") else [nodes]


def _check(conf: OciConf, uid_map: IdMap) -> None:
    """Refuse what no hook can do."""
    if disabled := conf.disabled("createContainer"):
        raise StagingError(f"a container gets its GPUs by a hook, and DisableHooks in oci.conf has {disabled[0]}")
    if uid_map and total(uid_map) == 1 and uid_map[0].container:
        raise StagingError(
            f"a container whose one id is {uid_map[0].container} cannot get GPUs, since no hook can mount for it: run "
            "it as root (--user 0), or see to subordinate ids and a staging directory that keeps owners"
        )


def _scontrol(run: Commands, *words: str) -> str:
    result = run.run(("scontrol", *words))
    if result.status:
        raise StagingError(f"Slurm did not say which GPUs the job has: {result.text[:200]}")
    return result.text


def _points(
    creation: Creation, config: dict[str, Any], devices: list[Device], directories: Mapping[str, list[str]]
) -> dict[str, dict[str, Any]]:
    """Where something will be mounted, by the path that a CDI file says."""
    known = {path for paths in directories.values() for path in paths}
    wanted = [
        {"destination": path, "type": "bind", "source": _DIRECTORY if not source or source in known else _FILE}
        for path, source in destinations(devices).items()
    ]
    for point in wanted:
        if not any(resolve(creation.rootfs, point["destination"])):
            raise StagingError(
                f"{point['destination']}, where the GPUs' files belong, is a link in the image to nothing"
            )
    given = list(config.get("mounts") or ())
    fitted = behind_links(creation.rootfs, [*given, *wanted])[len(given) :]
    return {point["destination"]: there for point, there in zip(wanted, fitted, strict=True)}


def _write(
    directory: str,
    memory: str,
    node: str,
    devices: Mapping[str, Device],
    points: Mapping[str, dict[str, Any]],
    mode: int,
) -> None:
    make_directory(directory, mode)
    places = {path: str(point["destination"]) for path, point in points.items()}
    for name, device in devices.items():
        text = "".join(f"{line}\n" for line in calls(device, places))
        write_file(f"{directory}/gpu-{name}", text.encode("utf-8", "surrogateescape"), 0o600)
    if not devices:
        write_file(f"{directory}/none", b"", 0o600)
    write_file(f"{directory}/from", os.fsencode(f"{memory}/{node}\n"), 0o600)
    write_file(
        f"{directory}/sum", "".join(f"{line}\n" for line in node_gpus.noted(memory, node, "sum")).encode(), 0o600
    )
