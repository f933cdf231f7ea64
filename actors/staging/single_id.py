"""A container whose one id is not root's: where root of the nodes is nobody, or without subordinate ids.

crun runs it. runc (1.1.5) looks for root among the container's ids and fails with "no user mapping found".
"""

from typing import Any

from actors.oci.id_maps import total
from actors.slurm import oci_conf
from proto.errors import StagingError
from proto.life.creation import Creation

from .container_ids import caller_maps, container_maps
from .directory import staging_directory
from .reach import keeps_owners


def check(creation: Creation, config: dict[str, Any]) -> None:
    """Refuse what the nodes' runtime would not run, before a job is asked for.

    Args:
        creation: the container, of a user who is not root.
        config: its config.json, whose process has another user than root.

    Raises:
        StagingError: it could not run there.

    """
    settings = creation.settings
    if oci_conf.load(settings.scrun.slurm_conf).runtime_name != "runc":
        return
    uids, _ = container_maps(creation, config, caller_maps(), lambda: keeps_owners(staging_directory(creation)))
    if total(uids) == 1 and uids[0].container:
        raise StagingError(
            f"the container would have one id, {uids[0].container}, and runc runs none without an id for root: use "
            "--user 0, or ask the site's administrator for crun in oci.conf"
        )
