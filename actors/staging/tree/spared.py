"""What is neither brought back nor removed: mount points, and what a copy never had."""

from collections.abc import Iterable

NEVER = frozenset(("proc", "sys", "dev"))


class Spared:
    """Paths, relative to the top of a tree, that are left as they are.

    Attributes:
        paths: these themselves; what is below them is spared, too.
        leads: the directories on the way to them, without the top.

    """

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = frozenset(paths) | NEVER
        ways = [path.split("/") for path in self.paths]
        self.leads = frozenset("/".join(names[:depth]) for names in ways for depth in range(1, len(names)))

    def __contains__(self, path: str) -> bool:
        return path in self.paths

    def covers(self, names: tuple[str, ...]) -> bool:
        """Whether a path, name by name, is spared or is below one that is."""
        if names[:1] and names[0] in self.paths:
            return True
        path = names[0] if names else ""
        for name in names[1:]:
            if path not in self.leads:
                return False
            path = f"{path}/{name}"
            if path in self.paths:
                return True
        return False
