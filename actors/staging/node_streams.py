"""What a container's standard output and terminal need on its node: found out, and put into the bundle."""

import os
import stat
from typing import Any

from actors.oci.streams import TASKS_PIPE, Hooks, Streams
from actors.programs import program
from actors.slurm.oci_conf import OciConf
from actors.slurm.step_options import runs_once
from proto.life.creation import Creation

from .files import make_directory, write_file
from .root_plan import PROGRAMS

PROLOG, LAY, GIVE = "prolog", "lay", "give"
_PROGRAM, _PIPE = "streams", "stdout"
_TERMINALS = "/dev/pts"


def streams_of(creation: Creation, config: dict[str, Any], conf: OciConf, entry: str, place: str) -> Streams | None:
    """What a container gets; ``None`` if its node's runtime cannot do it, or it has no entry file to open a pipe.

    Args:
        creation: the container.
        config: its config.json.
        conf: the site's oci.conf.
        entry: path of its entry file in the container.
        place: directory that the nodes will see.

    """
    if not entry or not conf.makes_streams:
        return None
    directory = f"{place}/{PROGRAMS}"
    if creation.terminal:
        places = {os.path.normpath(mount.get("destination", "/")) for mount in config.get("mounts") or ()}
        # Without a place for terminals of its own, the program has slurmstepd's as before.
        if _TERMINALS not in places:
            return None
        return Streams(f"{directory}/{_PROGRAM}", f"{entry}.go", f"{directory}/{_PIPE}", terminal=True)
    source = f"{directory}/{_PIPE}" if runs_once(creation.settings.job) else TASKS_PIPE
    spaces = {space.get("type") for space in (config.get("linux") or {}).get("namespaces") or ()}
    return Streams(f"{directory}/{_PROGRAM}", f"{entry}.out", source, "" if "pid" in spaces else entry)


def install(streams: Streams, content: str) -> Hooks:
    """Put it into a bundle.

    Args:
        streams: what it gets.
        content: the bundle's directory for all but config.json.

    Returns:
        The hooks of config.json.

    """
    directory = programs_directory(content)
    write_program(directory, _PROGRAM, "node_streams.sh")
    if streams.terminal:
        write_file(f"{directory}/terminal", b"", 0o600)
    if streams.source == TASKS_PIPE:
        write_file(f"{directory}/tasks", b"", 0o600)
    else:
        pipe = f"{directory}/{_PIPE}"
        os.mkfifo(pipe)
        os.chmod(pipe, 0o666)  # noqa: S103 - whoever the container's user is
    return streams.hooks()


def install_prolog(creation: Creation, content: str) -> None:
    """Have srun run what has to be done before the runtime starts, if there is anything."""
    directory = f"{content}/{PROGRAMS}"
    if not any(os.path.lexists(f"{directory}/{name}") for name in (LAY, GIVE, "tasks", "terminal")):
        return
    write_program(directory, PROLOG, "node_prolog.sh")
    if own := creation.settings.job.get("task-prolog", ""):
        os.symlink(os.path.join(creation.cwd, own), f"{directory}/task-prolog")


def programs_directory(content: str) -> str:
    """The directory of what runs on the node, made if it is not there."""
    directory = f"{content}/{PROGRAMS}"
    if not os.path.isdir(directory):
        # Whoever the container's ids are may have to get to the pipe.
        make_directory(directory, stat.S_IMODE(os.stat(content).st_mode))
    return directory


def write_program(directory: str, name: str, source: str) -> None:
    """Put a program of ``actors/programs`` there; hooks are "sh FILE", but a prolog, and what it calls, is executed."""
    write_file(f"{directory}/{name}", b"#!/bin/sh\n" + program(source), 0o700)
