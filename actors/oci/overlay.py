"""Overlay mounts that give a container a root file system of shared trees, and its changes a place on the node.

One overlay for each top directory of the image, as ordinary mounts of config.json: crun 1.8 to 1.28 and runc 1.1 and
1.3 take them all, while one overlay at ``/`` fails with crun before 1.28 and is refused by runc 1.3. Below each are
the image's trees, which the whole cluster sees; above them what the container changes. Pure.
"""

from collections.abc import Iterable
from typing import Any

from proto.value import Value

Mount = dict[str, Any]

OWN = frozenset(("proc", "sys", "dev"))
"""Top directories that every engine mounts something on: there is nothing in them to be shown."""
MARKED = frozenset(':,\\"')
"""Characters that part the words of an overlay's options; runtimes differ in how they can be escaped."""
OPTIONS_LIMIT = 4000
"""Bytes of one mount's options: mount(2) takes a page, and a runtime adds words of its own."""
_ALWAYS = ("userxattr",)
"""Attributes of the user's own kind: the only one that a user namespace may set, and root can read it, too."""


class Top(Value):
    """A top directory of the image.

    Attributes:
        name: without a slash.
        lowers: absolute paths of the directories that it consists of, the topmost first.

    """

    name: str
    lowers: tuple[str, ...]


def overlay_mounts(tops: Iterable[Top], place: str, empty: str) -> list[Mount] | None:
    """The mounts, in the order of ``tops``; ``None`` if one of them cannot be written down as options.

    Args:
        tops: at least one lower directory each.
        place: directory on the node with ``u/NAME`` and ``w/NAME`` for each; empty for a root file system that is
            only read, in which a container of whatever rights has nothing that it could mount writable again.
        empty: an empty directory: an overlay without an upper directory wants two lower ones.

    """
    mounts = []
    for top in tops:
        lowers = top.lowers if place or len(top.lowers) > 1 else (*top.lowers, empty)
        words = [*_ALWAYS, f"lowerdir={':'.join(lowers)}"]
        words += [f"upperdir={place}/u/{top.name}", f"workdir={place}/w/{top.name}"] if place else ["ro"]
        marked = MARKED.intersection("".join((*lowers, place, top.name)))
        if marked or len(",".join(words).encode("utf-8", "surrogateescape")) > OPTIONS_LIMIT:
            return None
        mounts.append({"destination": f"/{top.name}", "type": "overlay", "source": "overlay", "options": words})
    return mounts
