"""What nodes say of their GPUs: asked for in a step of some 50 ms, and believed for a day.

A directory for each node, in the cache of the staging directory, has copies of its CDI files and what its slurmd makes
of Slurm's configuration (``actors/programs/read_gpus.sh``). Whether the files are still the same a hook sees there.
"""

import os
import shlex
import time

from actors.oci.cdi.files import DIRECTORIES, registry_of
from actors.oci.cdi.specification import Device
from actors.programs import program
from actors.slurm import gpus as slurms
from proto.errors import StagingError

from .commands import Commands
from .loglevel import Level, Log

AGE = 86400.0
"""Seconds for which a node is believed to have the GPUs that it had; its CDI files are looked at each time."""
NOT_DESCRIBED = "its CDI files (/etc/cdi, /var/run/cdi) describe no GPU, so a container gets no files of its GPUs"
_READ_LIMIT = 4 << 20


def memory_in(staging: str) -> str:
    """The directory for all of them in a staging directory."""
    return f"{staging}/cache/gpus"


def ask(memory: str, nodes: list[str], run: Commands, log: Log) -> None:
    """Have the nodes say what they have, unless each has said so lately.

    Args:
        memory: the directory for all of them.
        nodes: names of all nodes of the job.
        run: runs a command on these.
        log: is told.

    Raises:
        StagingError: one of them says nothing.

    """
    os.makedirs(memory, 0o700, exist_ok=True)
    if all(_age(f"{memory}/{node}/sum") < AGE for node in nodes):
        return
    result = run.remote(b"set -- " + os.fsencode(shlex.quote(memory)) + b"\n" + program("read_gpus.sh"))
    silent = [node for node in nodes if _age(f"{memory}/{node}/sum") >= AGE]
    if silent:
        raise StagingError(f"node {silent[0]} did not say what it has of GPUs: {result.text[:200] or result.status}")
    log(Level.VERBOSE, f"read from {', '.join(nodes)} which GPUs are there")


def _age(path: str) -> float:
    try:
        return abs(time.time() - os.stat(path).st_mtime)
    except FileNotFoundError:
        return AGE


def described(memory: str, node: str, log: Log) -> dict[str, Device]:
    """What a node's GPUs are, by Slurm's names for them: mostly numbers.

    Raises:
        StagingError: none is described, and the reason may be a file that cannot be read.

    """
    registry = registry_of(zip((f"{memory}/{node}/etc", f"{memory}/{node}/run"), DIRECTORIES, strict=True))
    for fault in registry.faults:
        log(Level.INFO, f"node {node}: {fault}")
    found = {device.name: device for device in registry.devices if "gpu" in device.kind.partition("/")[2]}
    for number, files in enumerate(numbered(memory, node)):
        device = registry.with_files(files) if files else registry.named(str(number))
        found.pop(str(number), None)
        if device is not None:
            found[str(number)] = device
    if not found and registry.faults:
        raise StagingError(f"which GPUs node {node} has cannot be told: {registry.faults[0]}")
    if not found:
        log(Level.INFO, f"node {node}: {NOT_DESCRIBED}")
    return found


def numbered(memory: str, node: str) -> tuple[tuple[str, ...], ...]:
    """The files of each of a node's GPUs, in Slurm's order."""
    return slurms.files("\n".join(noted(memory, node, "gres")))


def noted(memory: str, node: str, name: str) -> list[str]:
    """The lines of a file of what a node has said."""
    try:
        with open(f"{memory}/{node}/{name}", encoding="utf-8", errors="surrogateescape") as file:
            return file.read(_READ_LIMIT).splitlines()
    except FileNotFoundError:
        return []
