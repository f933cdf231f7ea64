"""A container's root file system as an overlay, under a runtime that knows nothing of it, or as several. Pure.

crun before 1.28 fails with an overlay whose destination is ``/``. But crun and runc run createContainer hooks in the
container's mount namespace when its mounts are made, and open the root by its name afterwards, for pivot_root(2). So a
hook puts the overlay over it, with the mounts in it (``actors/programs/node_overlay.sh``). It works with crun 1.8 and
1.21, and with runc 1.1.5 and 1.1.15; runc 1.3.6 has opened the root before, and crun 1.28 makes mounts read-only only
afterwards, where nobody sees them any more. And a hook can mount only in a container whose one id is root's, or that
has several: execve(2) takes the capabilities of all others.

Where that does not do, each top directory is an overlay among the mounts of config.json, which all of them take.
"""

from collections.abc import Iterable
from typing import Any

from .streams import Hooks

MARKED = frozenset(':,\\"\n')
"""Characters that part the words of an overlay's options, or that the node's program would not read as they are."""
OPTIONS_LIMIT = 3800
"""Bytes of the directories' names: mount(2) takes a page for all options."""


def lower_option(lowers: Iterable[str]) -> str | None:
    """The lower directories, the topmost first, as one word; ``None`` if they cannot be written down.

    An overlay that is only read wants two of them at least.
    """
    paths = tuple(lowers)
    word = ":".join(paths)
    if MARKED.intersection("".join(paths)) or len(word.encode("utf-8", "surrogateescape")) > OPTIONS_LIMIT:
        return None
    return word


def overlay_mounts(
    tops: Iterable[tuple[str, Iterable[str]]], place: str, *, volatile: bool = False
) -> tuple[dict[str, Any], ...] | None:
    """The mounts of config.json that are overlays; ``None`` if one of them cannot be written down.

    Args:
        tops: name and lower directories of each top directory, the topmost first.
        place: directory on the node with ``u/NAME`` and ``w/NAME`` for each.
        volatile: whether the kernel need not see to it that anything is on a disk before it is unmounted.

    """
    mounts = []
    for name, lowers in tops:
        upper, work = f"{place}/u/{name}", f"{place}/w/{name}"
        layers = tuple(lowers)
        if lower_option((*layers, upper, work)) is None:
            return None
        words = ["userxattr", f"lowerdir={':'.join(layers)}", f"upperdir={upper}", f"workdir={work}"]
        if volatile:
            words.append("volatile")
        mounts.append({"destination": f"/{name}", "type": "overlay", "source": "overlay", "options": words})
    return tuple(mounts)


def hooks(directory: str, *, enters: bool) -> Hooks:
    """The hooks of config.json that make the root file system and clear up after it.

    Args:
        directory: of the node's programs, see ``node_overlay.sh``.
        enters: whether one of them makes it.

    """
    ours = {"createContainer": "enter", "poststop": "collect"} if enters else {"poststop": "collect"}
    return {hook: [{"path": "/bin/sh", "args": ["sh", f"{directory}/{name}"]}] for hook, name in ours.items()}
