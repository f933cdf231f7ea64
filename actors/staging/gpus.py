"""The GPUs of a container: what its nodes say of theirs is read before it starts, and put into the bundle for them.

Which of them a task is given only its node knows, when the task starts: so there is a file for each GPU of each node,
and a hook there does what is in those of its own (``actors/programs/node_gpus.sh``). A node is asked in a step of some
50 ms, and believed for a day; whether its files are still the same the hook sees.
"""

import os
import shlex
import stat
import time
from collections.abc import Mapping
from typing import Any

from actors.oci.cdi.calls import calls, destinations, moments, variables
from actors.oci.cdi.files import DIRECTORIES, host_registry, registry_of
from actors.oci.cdi.specification import Device
from actors.oci.gpu_request import ALL, GpuRequest, gpu_request
from actors.oci.id_maps import IdMap, total
from actors.oci.streams import Hooks
from actors.programs import program as text_of
from actors.slurm import gpus as slurms
from actors.slurm.oci_conf import OciConf
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import Value

from .bundle import make_directory, staging_directory, write_file
from .commands import Commands
from .loglevel import Level, Log
from .node_streams import GIVE, programs_directory, write_program
from .overlay.mount_points import behind_links, resolve
from .root_plan import PROGRAMS

AGE = 86400.0
"""Seconds for which a node is believed to have the GPUs that it had; its CDI files are looked at each time."""
NOT_DESCRIBED = "its CDI files (/etc/cdi, /var/run/cdi) describe no GPU, so a container gets no files of its GPUs"
_READ_LIMIT = 4 << 20
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


class Place(Value):
    """Where a bundle is.

    Attributes:
        content: its directory for all but config.json.
        final: where that will be.
        root: where the directory will be that the runtime knows as the root.

    """

    content: str
    final: str
    root: str


def host_request(config: dict[str, Any]) -> GpuRequest:
    """What of GPUs a config.json asks for, and the same without this host's files."""
    return gpu_request(config, host_registry().devices)


def stage_gpus(
    creation: Creation,
    config: dict[str, Any],
    conf: OciConf,
    place: Place,
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
        place: where the bundle is.
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
    directory = programs_directory(place.content)
    mode = stat.S_IMODE(os.stat(directory).st_mode)
    make_directory(f"{directory}/gpus", mode)
    write_program(directory, GIVE, "node_gpus.sh")
    if conf.gives_gpus:
        write_file(f"{directory}/gpus/toolkit", b"", 0o600)
        return Gpus(True, variables=frozenset(("NVIDIA_VISIBLE_DEVICES",)))
    memory = f"{staging_directory(creation)}/cache/gpus"
    _read(memory, nodes, run, log)
    found = {node: _described(memory, node, log) for node in nodes}
    given = [device for devices in found.values() for device in devices.values()]
    if given:
        _check(conf, uid_map)
    points = _points(creation, config, given, {node: _lines(f"{memory}/{node}/directories") for node in nodes})
    for node, devices in found.items():
        _write(f"{directory}/gpus/{node}", f"{memory}/{node}", devices, points, mode)
    write_file(f"{directory}/gpus/root", os.fsencode(f"{place.root}\n"), 0o600)
    if request == ALL and slurms.is_whole(creation.settings.job):
        # A step has as many as its job has asked for, and a whole node has more.
        count = sum(len(_numbered(f"{memory}/{node}")) for node in nodes)
        write_file(f"{directory}/gpus/count", f"{count or ''}\n".encode(), 0o600)
    program = f"{place.final}/{PROGRAMS}/{GIVE}"
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


def _read(memory: str, nodes: list[str], run: Commands, log: Log) -> None:
    """Have the nodes say what they have, unless each has said so lately."""
    os.makedirs(memory, 0o700, exist_ok=True)
    if all(_age(f"{memory}/{node}/sum") < AGE for node in nodes):
        return
    result = run.remote(b"set -- " + os.fsencode(shlex.quote(memory)) + b"\n" + text_of("read_gpus.sh"))
    silent = [node for node in nodes if _age(f"{memory}/{node}/sum") >= AGE]
    if silent:
        raise StagingError(f"node {silent[0]} did not say what it has of GPUs: {result.text[:200] or result.status}")
    log(Level.VERBOSE, f"read from {', '.join(nodes)} which GPUs are there")


def _age(path: str) -> float:
    try:
        return abs(time.time() - os.stat(path).st_mtime)
    except FileNotFoundError:
        return AGE


def _described(memory: str, node: str, log: Log) -> dict[str, Device]:
    """What a node's GPUs are, by Slurm's names for them: mostly numbers.

    Raises:
        StagingError: none is described, and the reason may be a file that cannot be read.

    """
    registry = registry_of(zip((f"{memory}/{node}/etc", f"{memory}/{node}/run"), DIRECTORIES, strict=True))
    for fault in registry.faults:
        log(Level.INFO, f"node {node}: {fault}")
    found = {device.name: device for device in registry.devices if "gpu" in device.kind.partition("/")[2]}
    for number, files in enumerate(_numbered(f"{memory}/{node}")):
        device = registry.with_files(files) if files else registry.named(str(number))
        found.pop(str(number), None)
        if device is not None:
            found[str(number)] = device
    if not found and registry.faults:
        raise StagingError(f"which GPUs node {node} has cannot be told: {registry.faults[0]}")
    if not found:
        log(Level.INFO, f"node {node}: {NOT_DESCRIBED}")
    return found


def _numbered(memory: str) -> tuple[tuple[str, ...], ...]:
    """The files of each of a node's GPUs, in Slurm's order."""
    return slurms.files("\n".join(_lines(f"{memory}/gres")))


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
    directory: str, memory: str, devices: Mapping[str, Device], points: Mapping[str, dict[str, Any]], mode: int
) -> None:
    make_directory(directory, mode)
    places = {path: str(point["destination"]) for path, point in points.items()}
    for name, device in devices.items():
        text = "".join(f"{line}\n" for line in calls(device, places))
        write_file(f"{directory}/gpu-{name}", text.encode("utf-8", "surrogateescape"), 0o600)
    if not devices:
        write_file(f"{directory}/none", b"", 0o600)
    write_file(f"{directory}/from", os.fsencode(f"{memory}\n"), 0o600)
    write_file(f"{directory}/sum", "".join(f"{line}\n" for line in _lines(f"{memory}/sum")).encode(), 0o600)


def _lines(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_READ_LIMIT).splitlines()
    except FileNotFoundError:
        return []
