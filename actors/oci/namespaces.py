"""Which namespaces a container has for itself on a node."""

from collections.abc import Mapping
from typing import Any

from proto.errors import SettingsError

NETWORK = "scrun.container-network"
"""The annotation that asks for a network of the container's own, with nothing in it."""
_FORMER = "scrun.network"
"""Its name once; now that of srun's option."""
_NOTHING = frozenset({"none", "private"})
_KEPT = ("pid", "ipc", "uts", "mount")


def own_namespaces(config: dict[str, Any], *, network: bool, user: bool) -> list[str]:
    """Their types; ``network`` and ``user``: whether it has such ones, which config.json does not say.

    One that is another container's is one of its own here: ``scrun.create.joining`` has looked at those.
    """
    asked = {entry.get("type") for entry in (config.get("linux") or {}).get("namespaces") or ()}
    found = [name for name in _KEPT if name in asked]
    if "mount" not in found:
        found.append("mount")  # the specification lets a root file system be changed in no other way
    if network:
        found.append("network")
    if user:
        found.append("user")
    return found


def own_network(annotations: Mapping[str, str]) -> bool:
    """Whether the container has a network of its own, with nothing in it.

    Never by default: an engine's configured network and ``--network none`` look the same in config.json, and the reason
    to be on a cluster is its network.

    Raises:
        SettingsError: it is asked for by the former name.

    """
    if annotations.get(_FORMER, "") in _NOTHING:
        raise SettingsError(
            f"annotation {_FORMER} is srun's option --network now; for a container without a network say {NETWORK}=none"
        )
    return annotations.get(NETWORK, "") in _NOTHING
