"""A path in a root file system, followed as a runtime follows it. On the way of ``exec``."""

import os
import stat

LINK_LIMIT = 40  # as the kernel's


def resolve(root: str, path: str, links: list[tuple[list[str], str]] | None = None) -> tuple[list[str], list[str]]:
    """Follow a path in a root file system as a runtime does, links included and never out of it.

    Args:
        root: the root file system.
        path: in it.
        links: gets the names, of which only the last is a link, and the target of each link on the way.

    Returns:
        The names that lead to what is there, none of them a link, and the names that are missing; neither if the path
        leads to nothing that can be made, such as a link to itself.

    """
    todo = [part for part in path.split("/") if part not in {"", "."}][::-1]
    there: list[str] = []
    links = [] if links is None else links
    while todo:
        part = todo.pop()
        if part == "..":
            there = there[:-1]
            continue
        here = os.path.join(root, *there, part)
        try:
            mode = os.lstat(here).st_mode
        except FileNotFoundError:
            rest = [part, *todo[::-1]]
            return ([], []) if ".." in rest else (there, rest)
        except OSError:
            return [], []
        if not stat.S_ISLNK(mode):
            there.append(part)
            continue
        target = os.readlink(here)
        links.append(([*there, part], target))
        if len(links) > LINK_LIMIT:
            return [], []
        if target.startswith("/"):
            there = []
        todo += [name for name in target.split("/") if name not in {"", "."}][::-1]
    return there, []
