"""What is copied for a container's mounts, and one copy for several mounts of which one shows a part of another.

With ``-v /tmp/w:/w -v /tmp/w/out:/out`` what the program writes to ``/out`` must be seen in ``/w/out``, and come back
once.
"""

import os
from collections.abc import Mapping

from proto.value import Value, replace

from .bind_source import BindFact, Kind, Mount, is_below


class Copy(Value):
    """One source to be copied to ``BUNDLE/mounts/INDEX``.

    Attributes:
        source: absolute path.
        index: number of the copy.
        kind: ``file`` or ``directory``.
        destination: path in the container, for sentences.
        below: directories that are seen through the source, the topmost first, as in an overlay.
        users: whether it is the user's, so that others may use it, too; not the engine's for this container alone.
        returns: whether what the program changes there is brought back.

    """

    source: str
    index: int
    kind: Kind
    destination: str = ""
    below: tuple[str, ...] = ()
    users: bool = False
    returns: bool = False


def nest(
    mounts: list[Mount], copies: list[Copy], facts: Mapping[str, BindFact], content: str
) -> tuple[list[Mount], list[Copy]]:
    """Let mounts show parts of other mounts' copies where their sources are parts of the others' sources.

    Args:
        mounts: for the node; those with copies have ``CONTENT/mounts/INDEX`` for their sources.
        copies: of the sources, each on its own.
        facts: of the sources, by the paths of the copies.
        content: see above.

    Returns:
        The mounts and the copies that are needed; one of these comes back if a part of it has to.

    """
    places: dict[str, str] = {}
    needed: dict[int, Copy] = {}
    # The outermost first: what is in another has its place by then.
    for copy in sorted(copies, key=lambda each: (len(_real(each, facts)), each.index)):
        outer = next((each for each in needed.values() if _holds(each, copy, facts)), None)
        if outer is None:
            needed[copy.index] = copy
            continue
        inner = os.path.relpath(_real(copy, facts), _real(outer, facts))
        place = f"{content}/mounts/{outer.index}"
        places[f"{content}/mounts/{copy.index}"] = place if inner == "." else f"{place}/{inner}"
        needed[outer.index] = replace(outer, returns=outer.returns or copy.returns)
    moved = [
        {**mount, "source": places[mount["source"]]} if mount.get("source") in places else mount for mount in mounts
    ]
    return moved, [needed[index] for index in sorted(needed)]


def _real(copy: Copy, facts: Mapping[str, BindFact]) -> str:
    return facts[copy.source].real if copy.source in facts else ""


def _holds(outer: Copy, inner: Copy, facts: Mapping[str, BindFact]) -> bool:
    if not (outer.users and inner.users and _real(outer, facts) and _real(inner, facts)):
        return False
    one, other = facts[outer.source], facts[inner.source]
    return one.device == other.device and is_below(other.real, one.real)
