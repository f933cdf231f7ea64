"""One overlay as a container's root file system, under a runtime that knows nothing of it. Pure.

crun before 1.28 fails with an overlay whose destination is ``/``. But crun and runc run createContainer hooks in the
container's mount namespace when its mounts are made, and open the root by its name afterwards, for pivot_root(2). So a
hook puts the overlay over it, with the mounts in it (``actors/programs/node_overlay.sh``). It works with crun 1.8,
1.21 and 1.28, and with runc 1.1.5 and 1.1.15; runc 1.3.6 has opened the root before.
"""

from collections.abc import Iterable
from typing import Any

MARKED = frozenset(':,\\"\n')
"""Characters that part the words of an overlay's options, or that the node's program would not read as they are."""
OPTIONS_LIMIT = 3800
"""Bytes of the lower directories' names: mount(2) takes a page for all options."""


def lower_option(lowers: Iterable[str]) -> str | None:
    """The lower directories, the topmost first, as one word; ``None`` if they cannot be written down.

    An overlay that is only read wants two of them at least.
    """
    paths = tuple(lowers)
    word = ":".join(paths)
    if MARKED.intersection("".join(paths)) or len(word.encode("utf-8", "surrogateescape")) > OPTIONS_LIMIT:
        return None
    return word


def merged_hooks(config: dict[str, Any], directory: str) -> dict[str, list[dict[str, Any]]]:
    """The hooks of a node's config.json, with ours before the others, which expect a root file system."""
    merged = dict(config.get("hooks") or {})
    for name, ours in hooks(directory).items():
        merged[name] = [*ours, *(merged.get(name) or ())]
    return merged


def hooks(directory: str) -> dict[str, list[dict[str, Any]]]:
    """The hooks of config.json that make the root file system and clear up after it.

    Args:
        directory: of the node's programs, see ``node_overlay.sh``.

    """
    return {
        "createContainer": [{"path": "/bin/sh", "args": ["sh", f"{directory}/enter"]}],
        "poststop": [{"path": "/bin/sh", "args": ["sh", f"{directory}/collect"]}],
    }
