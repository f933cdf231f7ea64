"""Opens the directories of a tree one after another, at any depth, and follows no link in it.

A path may be longer than the 4,096 bytes of a call, and nested deeper than a process may have descriptors. So each
directory is opened by its own name in the one above it, and the last few are kept open: whoever asks for them in the
order of a walk pays for one call each.
"""

import os

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
KEPT = 32
"""Levels whose descriptors are kept; a process may have 1,024."""

Names = tuple[bytes, ...]
"""A path in a tree: the name of each level; nothing for the tree itself."""


class Descent:
    """The way down into one tree.

    Args:
        root: the tree.

    """

    def __init__(self, root: str | bytes) -> None:
        self._names: Names = ()
        self._open = {0: os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)}

    def to(self, names: Names) -> int:
        """Descriptor of a directory, valid until the next call.

        Raises:
            OSError: it is not there, is a link, or may not be read.

        """
        common = 0
        for one, other in zip(names, self._names, strict=False):
            if one != other:
                break
            common += 1
        for depth in [depth for depth in self._open if depth > common]:
            os.close(self._open.pop(depth))
        self._names = names[:common]
        depth = max(self._open)
        for name in names[depth:]:
            self._open[depth + 1] = os.open(name, _FLAGS, dir_fd=self._open[depth])
            depth += 1
            self._names = names[:depth]
            if depth > KEPT and depth - KEPT in self._open:
                os.close(self._open.pop(depth - KEPT))
        return self._open[depth]

    def close(self) -> None:
        """Close all of them."""
        while self._open:
            os.close(self._open.popitem()[1])
