"""Which ids a container gets on the node: those of its engine, or one for all."""

from collections.abc import Callable
from typing import Any

from actors.oci.id_maps import IdMap, compose, inner_maps, is_identity, parse_id_map, single, total
from proto.errors import StagingError
from proto.life.creation import Creation
from proto.value import Value

from .loglevel import Level, Log

ONE_OWNER = (
    "the staging directory keeps one owner for all files of the image, which has several; a program that changes its "
    "user or gives files away fails there"
)


class CallerMaps(Value):
    """``/proc/self/uid_map`` and ``gid_map`` of the process that stages, which is in the engine's namespace."""

    uid: str
    gid: str


def caller_maps() -> CallerMaps:
    texts = []
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/self/{name}", encoding="ascii") as file:
            texts.append(file.read())
    return CallerMaps(*texts)


class Ids(Value):
    """The ids of a container on the node.

    Attributes:
        uid_map, gid_map: nothing for a job of root, which needs no map.
        outer: of the engine's namespace.

    """

    uid_map: IdMap
    gid_map: IdMap
    outer: tuple[IdMap, IdMap]

    @property
    def several(self) -> bool:
        """Whether files can keep their owners."""
        return not self.uid_map or total(self.uid_map) > 1

    @property
    def on_node(self) -> tuple[IdMap, IdMap]:
        """The maps of the namespace in which a node handles its files."""
        return self.outer if self.uid_map and self.several else (self.uid_map, self.gid_map)


def container_maps(
    creation: Creation, config: dict[str, Any], caller: CallerMaps, keeps: Callable[[], bool]
) -> tuple[IdMap, IdMap]:
    """Decide which ids the container gets on the node; nothing for a job of root, which needs no map.

    ``full`` is what the engine itself uses: the user's own id and his subordinate ids, which the nodes must know,
    too. ``single`` needs nothing: the user of the container's program is the user, and there is no other.
    ``auto`` is full where that can be had: in an engine's namespace, with a file system that keeps owners.

    Args:
        creation: the container.
        config: its config.json.
        caller: the ids of the namespace in which it is staged.
        keeps: finds out whether the staging directory keeps owners (``reach.keeps_owners``).

    Raises:
        StagingError: ``full`` is demanded where there are no subordinate ids.

    """
    inner = inner_maps(config)
    wish = creation.settings.scrun.id_mapping
    if creation.is_roots:
        return inner
    outer = (parse_id_map(caller.uid), parse_id_map(caller.gid))
    mapped = not any(is_identity(one) for one in outer) and all(total(one) > 1 for one in outer)
    if mapped and (wish == "full" or (wish == "auto" and keeps())):
        if all(inner):
            return compose(inner[0], outer[0]), compose(inner[1], outer[1])
        return outer
    if wish == "full":
        raise StagingError("id_mapping = full needs an engine that runs in a user namespace with subordinate ids")
    user = (config.get("process") or {}).get("user") or {}
    return single(user.get("uid", 0), creation.caller.uid), single(user.get("gid", 0), creation.caller.gid)


def lost_owners(creation: Creation, config: dict[str, Any], log: Log) -> str:
    """What of an image is lost where one id is all ids; only a program that begins as root has use for others."""
    if creation.settings.scrun.id_mapping == "single":
        return ""
    log(Level.INFO, ONE_OWNER)
    return "" if ((config.get("process") or {}).get("user") or {}).get("uid") else ONE_OWNER
