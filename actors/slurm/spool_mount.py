"""Where slurmd mounts a directory of its own into a container (oci.conf(5): ``MountSpoolDir``). Pure but for ``read``.

Since 25.05 that is, unless oci.conf says otherwise, the path that the step's directory has on the node, below
``ContainerPath`` or ``SlurmdSpoolDir``: ``oci-jobJOB-STEP``. No step has its number before it runs. So what can be
known is the directory around it.
"""

import os

from proto.value import Value

from .oci_conf import OciConf
from .option_table import Version

STEP_DIRECTORY = (25, 5)
"""First version that mounts the step's directory at its own path."""
OLD = "/var/run/slurm"
USUAL = "/var/spool/slurmd"


class SpoolMount(Value):
    """Where it is in the container.

    Attributes:
        destination: a path; empty if it cannot be known.
        around: whether the mount point is not that, but a directory in it of a name that nobody knows.

    """

    destination: str = OLD
    around: bool = False

    @property
    def paths(self) -> tuple[str, ...]:
        """The destination, if it is known."""
        return (self.destination,) if self.destination else ()


def spool_mount(conf: OciConf, slurm_conf: str, version: Version, nodes: str) -> SpoolMount:
    """Find it.

    Args:
        conf: oci.conf.
        slurm_conf: the text of slurm.conf, as far as there is one.
        version: of Slurm; (0, 0), unknown, counts as old.
        nodes: of the job, as Slurm writes them.

    """
    if conf.mount_spool_dir or version < STEP_DIRECTORY:
        return SpoolMount(conf.mount_spool_dir or OLD)
    pattern = conf.container_path or _value(slurm_conf, "slurmdspooldir") or USUAL
    several = not nodes or bool(set(nodes) & set(",["))
    for mark in ("%n", "%h"):
        if mark in pattern and not several:
            pattern = pattern.replace(mark, nodes)
    return SpoolMount("" if "%" in pattern else os.path.normpath(pattern), around=True)


def read(slurm_conf: str) -> str:
    """The text of slurm.conf; nothing where there is none, as with sackd."""
    try:
        with open(slurm_conf or "/etc/slurm/slurm.conf", encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _value(text: str, wanted: str) -> str:
    found = ""
    for line in text.splitlines():
        key, _, value = line.partition("#")[0].partition("=")
        if key.strip().lower() == wanted:
            found = value.strip().strip('"')
    return found
