"""Slurm's own scrun, where Slurm brings one (Debian: slurm-client, since 24.11): where it is, and what it wants.

It gives its srun no environment, so that only a configuration in Slurm's usual place is found. On a machine that
tests/releases has made, and on no other, there can be one for as long as it is needed.
"""

from __future__ import annotations

import contextlib
import pathlib
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "/usr/bin/scrun"
DIRECTORY = pathlib.Path("/etc/slurm")
SLURM_CONF, CONTAINERS_CONF = f"{DIRECTORY}/slurm.conf", f"{DIRECTORY}/containers.conf"
RELEASE = pathlib.Path("/etc/scrun-cluster.conf")
"""Written by tests/releases: this machine is one of its own."""
LINKED = ("slurm.conf", "oci.conf", "cgroup.conf")
FILES = {
    # It does not begin without one. Nothing is staged: the nodes see what the user has.
    "scrun.lua": """\
function slurm_scrun_stage_in() return slurm.SUCCESS end
function slurm_scrun_stage_out() return slurm.SUCCESS end
return slurm.SUCCESS
""",
    # As its manual has it, for a machine without systemd.
    "containers.conf": f"""\
[containers]
apparmor_profile = "unconfined"
cgroupns = "host"
cgroups = "enabled"
default_sysctls = []
label = false
log_driver = "k8s-file"
netns = "host"
no_hosts = true
pidns = "host"
userns = "host"
utsns = "host"
[engine]
cgroup_manager = "cgroupfs"
conmon_env_vars = ["SLURM_CONF={SLURM_CONF}"]
events_logger = "file"
runtime = "slurm"
[engine.runtimes]
slurm = ["{PROGRAM}"]
""",
}


class NotHereError(SystemExit):
    """Slurm's scrun cannot be run on this machine, which is all that there is to say."""


@contextlib.contextmanager
def configured(slurm_conf: str) -> Iterator[None]:
    """Have a cluster's configuration in Slurm's usual place, for Slurm's scrun.

    Raises:
        NotHereError: it is not there, or the machine is not ours.

    """
    if not shutil.which(PROGRAM):
        raise NotHereError("Slurm has no scrun here: RELEASE=trixie or forky")
    if not RELEASE.exists():
        raise NotHereError("Slurm's scrun is run on a machine of tests/releases only: RELEASE=forky")
    DIRECTORY.mkdir(exist_ok=True)
    made = [DIRECTORY / name for name in (*LINKED, *FILES)]
    try:
        for name in LINKED:
            (DIRECTORY / name).unlink(missing_ok=True)
            (DIRECTORY / name).symlink_to(pathlib.Path(slurm_conf).with_name(name))
        for name, text in FILES.items():
            (DIRECTORY / name).write_text(text, encoding="utf-8")
        yield
    finally:
        for path in made:
            path.unlink(missing_ok=True)
