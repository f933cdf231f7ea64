"""Refuses, before a job is asked for, a container that asks for what no node can do."""

from typing import Any

from actors.oci.id_maps import inner_maps
from actors.oci.impossible import impossible
from actors.oci.namespaces import own_namespaces, own_network
from actors.slurm import oci_conf, oci_faults
from proto.errors import SettingsError, UnsupportedError
from proto.life.creation import Creation

from . import joining


def check(creation: Creation, config: dict[str, Any]) -> None:
    """Look at all that can be known here.

    Args:
        creation: the container.
        config: its config.json.

    Raises:
        UnsupportedError: it asks for what no node can do.

    """
    mapped = not creation.is_roots or bool(inner_maps(config)[0])
    namespaces = own_namespaces(config, network=own_network(creation.annotations), user=mapped)
    conf = oci_conf.load(creation.settings.scrun.slurm_conf)
    sentence = joining.refusal(creation, config) or impossible(config, namespaces, crun=conf.runs_crun)
    if sentence:
        raise UnsupportedError(sentence)


def check_site(creation: Creation) -> None:
    """Look at what the nodes are told to run containers with.

    Raises:
        SettingsError: no node can do that.

    """
    path = creation.settings.scrun.slurm_conf
    conf = oci_conf.load(path)
    if not conf.runtime_lines:
        return  # a file of this host's alone
    if wrong := oci_faults.fault(conf, creation.slurm):
        raise SettingsError(f"{oci_conf.place(path)} {wrong}, so no node runs a container; scrun doctor has an example")
