"""Fits the bundle that a script of the site has left behind: it knows nothing of entry files and streams."""

import os

from actors.oci.entry import ENTRY_NAME
from actors.oci.id_maps import config_id_map
from actors.oci.node_config import entry_mount, environment, without_environment, without_labels
from actors.oci.streams import merged
from actors.slurm import oci_conf
from actors.slurm.job_environment import JobFacts
from actors.staging import node_streams
from actors.staging.bundle import Config, Staged, entry_of, make_content, read_config, write_config, write_entry
from actors.staging.directory import container_directory, discard, rights_of
from actors.staging.files import make_directory
from actors.staging.filesystem import LAYERS, current_mounts
from actors.staging.job_variables import with_job
from actors.staging.root_plan import PROGRAMS
from actors.staging.tree.copy import remove_tree
from proto.errors import StagingError
from proto.life.creation import Creation


def fit_entry(creation: Creation, bundle: str, rootfs: str, job: JobFacts) -> Staged:
    """Give the bundle that scrun.lua left behind the entry file and its streams, and say what to launch.

    The engine's own bundle is never changed: if the script staged nothing, a shadow of the bundle is made in the
    staging directory. A bundle that cannot be seen or written from here (a script may put it on a node's own
    disk) stays as it is, and gets no entry file.

    Args:
        creation: the container.
        bundle: the bundle after the script.
        rootfs: the root file system's path after the script.
        job: what the program is told of its job.

    """
    entry = entry_of(creation)
    if not entry:
        return Staged(bundle, rootfs, entry=False)
    own = os.path.realpath(bundle) == os.path.realpath(creation.bundle)
    if not own and not os.access(os.path.join(bundle, "config.json"), os.R_OK | os.W_OK):
        return Staged(bundle, rootfs, entry=False)
    config = read_config(bundle)
    mode = os.stat(os.path.join(bundle, "config.json")).st_mode & 0o777
    directory = bundle
    if own:
        config = without_labels(config)
        bundle, directory, mode = _shadow(creation, config)
    directory = os.path.abspath(directory)
    conf = oci_conf.load(creation.settings.scrun.slurm_conf)
    streams = node_streams.streams_of(creation, config, conf, entry, directory)
    if environment(config) or not os.path.exists(f"{directory}/{ENTRY_NAME}"):  # not if this is done again
        write_entry(directory, with_job(config, creation, job), streams, null_input=creation.null_input)
    ours = [entry_mount(entry, f"{directory}/{ENTRY_NAME}"), *(streams.mounts() if streams else ())]
    names = {mount["destination"] for mount in ours}
    config["mounts"] = [
        *(mount for mount in config.get("mounts") or [] if mount.get("destination") not in names),
        *ours,
    ]
    programs = ""
    if streams:
        remove_tree(f"{directory}/{PROGRAMS}")
        config["hooks"] = merged(config, node_streams.install(streams, directory))
        node_streams.install_prolog(creation, directory)
        programs = f"{directory}/{PROGRAMS}"
    write_config(bundle, without_environment(config), mode)
    return Staged(bundle, rootfs, entry=True, programs=programs)


def _shadow(creation: Creation, config: Config) -> tuple[str, str, int]:
    """A directory in the staging directory with a link to the root file system.

    Returns:
        The bundle, the directory for what is not for everybody, and the mode of config.json.

    """
    _check_root(creation)
    home = container_directory(creation)
    rights = rights_of(creation, config_id_map((config.get("linux") or {}).get("uidMappings") or ()))
    discard(creation)
    make_directory(home, rights.way)  # nothing slow follows: no directory of its own is needed
    content = make_content(home, rights)
    # slurmd takes BUNDLE/rootfs, whatever root.path says.
    os.symlink(os.path.join(creation.bundle, (config.get("root") or {}).get("path") or "rootfs"), f"{home}/rootfs")
    config["root"] = {**(config.get("root") or {}), "path": f"{home}/rootfs"}
    # Hooks have environments of their own, which root of the node reads, and no other user may.
    return home, content, 0o600 if config.get("hooks") else rights.config


def _check_root(creation: Creation) -> None:
    """The nodes have to see the root file system where it is.

    Raises:
        StagingError: it is mounted on this host only.

    """
    if current_mounts().get(os.path.realpath(creation.rootfs)) in LAYERS:
        raise StagingError(
            f"{os.path.basename(creation.settings.scrun.lua)} leaves the root file system where the engine has mounted "
            f"it, {creation.rootfs}, which no node sees: have slurm_scrun_stage_in copy it to where nodes see it, and "
            "call slurm.set_root_path, or take the script away: the built-in stager does all that"
        )
