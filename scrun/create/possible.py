"""Refuses, before a job is asked for, a container that asks for what no node can do."""

import os
from typing import Any

from actors.oci.id_maps import inner_maps
from actors.oci.impossible import impossible
from actors.oci.namespaces import own_namespaces, own_network
from actors.slurm import oci_faults, step_options
from actors.slurm.oci_conf import OciConf, place
from proto.errors import ExhaustedError, SettingsError, UnsupportedError
from proto.life.creation import Creation

from . import joining

FILES = 64
"""Descriptors without which some process of a container cannot begin: they are parked above 32."""


def check_host() -> None:
    """Look at what this host lets a process have.

    Raises:
        ExhaustedError: it is too little for a container.

    """
    files = os.sysconf("SC_OPEN_MAX")  # of this process: RLIMIT_NOFILE
    if 0 <= files < FILES:
        raise ExhaustedError(
            f"a process may have {files} open files, and one of a container's needs {FILES}; scrun doctor says what "
            "raises that"
        )


def check(creation: Creation, config: dict[str, Any], conf: OciConf) -> None:
    """Look at all that can be known here.

    Args:
        creation: the container.
        config: its config.json.
        conf: the site's oci.conf.

    Raises:
        UnsupportedError: it asks for what no node can do.

    """
    mapped = not creation.is_roots or bool(inner_maps(config)[0])
    namespaces = own_namespaces(config, network=own_network(creation.annotations), user=mapped)
    sentence = joining.refusal(creation, config) or impossible(config, namespaces, crun=conf.runs_crun)
    if sentence:
        raise UnsupportedError(sentence)


def check_site(creation: Creation, conf: OciConf) -> None:
    """Look at what the nodes are told to run containers with.

    Args:
        creation: the container.
        conf: the site's oci.conf.

    Raises:
        SettingsError: no node can do that.

    """
    if not conf.runtime_lines:
        return  # a file of this host's alone
    if wrong := oci_faults.fault(conf, creation.slurm):
        path = place(creation.settings.scrun.slurm_conf)
        raise SettingsError(f"{path} {wrong}, so no node runs a container; scrun doctor has an example")


def check_tasks(creation: Creation) -> None:
    """Look at the tasks of its step.

    Args:
        creation: the container.

    Raises:
        UnsupportedError: no step can have them.

    """
    if sentence := step_options.fault(creation.settings.job, creation.slurm, terminal=creation.terminal):
        raise UnsupportedError(sentence)


def check_mpi(creation: Creation, config: dict[str, Any], conf: OciConf) -> None:
    """Look at what srun's plug-in for MPI wants of the container and its nodes.

    Args:
        creation: the container.
        config: its config.json.
        conf: the site's oci.conf.

    Raises:
        SettingsError: the nodes' runtime does not give the program what the plug-in has for it.
        UnsupportedError: the plug-in would not talk to the program.

    """
    mpi = creation.settings.job.get("mpi", "")
    if mpi == "pmi2" and not conf.hands_descriptors:
        path = place(creation.settings.scrun.slurm_conf)
        raise SettingsError(
            f"scrun.mpi=pmi2 hands the program a descriptor, and RunTimeRun in {path} does not have the runtime pass "
            "it on: it wants --preserve-fds, which crun has (docs/mpi.md)"
        )
    uid = ((config.get("process") or {}).get("user") or {}).get("uid", 0)
    # With munge it is the kernel that says whose program it is.
    munge = any("munge" in str(mount.get("destination")) for mount in config.get("mounts") or ())
    if mpi.startswith("pmix") and uid != creation.caller.uid and not munge:
        raise UnsupportedError(
            f"PMIx takes programs of the job's user {creation.caller.uid} only, and in the container this one is user "
            f"{uid}: say --userns=keep-id"
        )
