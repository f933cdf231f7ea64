"""``process`` as a node has it: of config.json, or of a program that ``exec`` adds. On the way of ``exec``."""

from proto.errors import StagingError

from .id_maps import is_mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .id_maps import IdMap

    Config = dict[str, Any]

_DROPPED = (
    "rlimits",  # above slurmd's hard limit they fail; Slurm propagates or sets limits itself
    "apparmorProfile",
    "selinuxLabel",
    "ioPriority",
    "scheduler",
    "execCPUAffinity",  # Slurm binds the step
)


def node_process(process: "Config", uid_map: "IdMap", gid_map: "IdMap", *, crun: bool) -> "Config":
    """Return ``process`` for the node, of config.json or of a program that is added later.

    Args:
        process: as the engine wrote it.
        uid_map: ids of the container on the node; empty if the job is root's.
        gid_map: the same of groups.
        crun: whether crun is the node's runtime. runc gives no additional group to whoever is not root ("cannot set
            any additional groups in a rootless container", 1.1.5), and fails if it is asked to.

    Raises:
        StagingError: its user or group is not among the ids that the container has on the node.

    """
    result = {key: value for key, value in process.items() if key not in _DROPPED}
    if not can_score(process.get("oomScoreAdj", 0), root=not uid_map):
        result.pop("oomScoreAdj", None)
    user = dict(process.get("user") or {})
    if uid_map:
        for name, id_map in (("uid", uid_map), ("gid", gid_map)):
            wanted = user.get(name, 0)
            if not is_mapped(id_map, wanted):
                raise StagingError(
                    f"the container runs as {name} {wanted}, which the user has no subordinate id for; "
                    "use id_mapping = single, or extend /etc/subuid and /etc/subgid"
                )
        groups = [group for group in user.get("additionalGids") or () if is_mapped(gid_map, group)]
        user.pop("additionalGids", None)
        # setgroups(2) is forbidden where only one group is mapped.
        if groups and crun and sum(entry.size for entry in gid_map) > 1:
            user["additionalGids"] = groups
    if user:
        result["user"] = user
    return result


def can_score(score: int, *, root: bool) -> bool:
    """Whether a program can have such an OOM score on a node; 0 is what every engine may write, and says nothing."""
    return score > 0 or (score < 0 and root)
