"""What slurmd mounts into every container, and room for it: see ``actors.slurm.spool_mount``."""

import os
from collections.abc import Iterable
from typing import Any

from actors.slurm.oci_conf import OciConf
from actors.slurm.spool_mount import SpoolMount, read, spool_mount
from proto.life.creation import Creation

OPTIONS = ("nosuid", "nodev", "noexec", "mode=755", "size=64k")


def of(creation: Creation, conf: OciConf, nodes: str) -> SpoolMount:
    """Where this container will have it."""
    settings = creation.settings.scrun
    if settings.scheduler == "local":
        return SpoolMount()
    return spool_mount(conf, read(settings.slurm_conf), creation.slurm, nodes)


def room(spool: SpoolMount, mounts: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A mount in which its mount point is made: not in an image, which may be shared, or only be read.

    Args:
        spool: where it will be.
        mounts: of config.json.

    """
    taken = {os.path.normpath(str(mount.get("destination", "/"))) for mount in mounts}
    if not spool.around or spool.destination in {"", *taken}:
        return []
    return [{"destination": spool.destination, "type": "tmpfs", "source": "tmpfs", "options": list(OPTIONS)}]
