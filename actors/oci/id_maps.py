"""Which user ids of the node the container's ids stand for.

A map is a sequence of ``IdRange``: container ids from ``container`` on are ids of the host from ``host`` on.
"""

from proto.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_ALL_IDS = 0xFFFFFFFF


class IdRange(Value):
    """``size`` consecutive ids."""

    container: int
    host: int
    size: int


IdMap = tuple[IdRange, ...]


def parse_id_map(text: str) -> IdMap:
    """Read ``/proc/self/uid_map`` or ``gid_map``."""
    return tuple(IdRange(*(int(word) for word in line.split())) for line in text.splitlines() if line.strip())


def is_identity(id_map: IdMap) -> bool:
    """Whether this is the map outside every user namespace."""
    return id_map == (IdRange(0, 0, _ALL_IDS),)


def config_id_map(mappings: "Iterable[Any]") -> IdMap:
    """Read ``linux.uidMappings`` or ``gidMappings`` of config.json."""
    return tuple(
        IdRange(int(entry.get("containerID", 0)), int(entry.get("hostID", 0)), int(entry.get("size", 0)))
        for entry in mappings
        if int(entry.get("size", 0)) > 0
    )


def inner_maps(config: "dict[str, Any]") -> tuple[IdMap, IdMap]:
    """The container's ids in the engine's namespace, as config.json has them."""
    linux = config.get("linux") or {}
    return config_id_map(linux.get("uidMappings") or ()), config_id_map(linux.get("gidMappings") or ())


def to_config(id_map: IdMap) -> list[dict[str, int]]:
    """Write ``linux.uidMappings`` or ``gidMappings``."""
    return [{"containerID": entry.container, "hostID": entry.host, "size": entry.size} for entry in id_map]


def compose(inner: IdMap, outer: IdMap) -> IdMap:
    """Follow ids through two namespaces: podman's ``keep-id`` has a second one inside its own.

    Ids that the outer map does not know are left out.
    """
    found: list[IdRange] = []
    for first in inner:
        for second in outer:
            low = max(first.host, second.container)
            high = min(first.host + first.size, second.container + second.size)
            if low < high:
                found.append(
                    IdRange(first.container + low - first.host, second.host + low - second.container, high - low)
                )
    return tuple(sorted(found, key=lambda entry: entry.container))


def is_mapped(id_map: IdMap, container_id: int) -> bool:
    return any(entry.container <= container_id < entry.container + entry.size for entry in id_map)


def stands_for(id_map: IdMap, host_id: int) -> bool:
    """Whether an id of the host is one of the container's."""
    return any(entry.host <= host_id < entry.host + entry.size for entry in id_map)


def seen_as(id_map: IdMap, host_id: int) -> int:
    """The container's id that stands for one of the host: the same without a map, 0 where there is none."""
    if not id_map:
        return host_id
    found = [e.container + host_id - e.host for e in id_map if e.host <= host_id < e.host + e.size]
    return found[0] if found else 0


def single(container_id: int, host_id: int) -> IdMap:
    """The map that needs no subordinate ids: one id of the container is the user."""
    return (IdRange(container_id, host_id, 1),)


def total(id_map: "Sequence[IdRange]") -> int:
    """How many ids are mapped."""
    return sum(entry.size for entry in id_map)
