"""What options that several verbs have mean to each of them."""

import os

from proto.errors import UnsupportedError

from .parsing import Line


def absolute(path: str) -> str:
    """The path made absolute; empty stays empty."""
    return os.path.abspath(path) if path else ""


def refuse_descriptors(line: Line) -> None:
    """``--preserve-fds``.

    Raises:
        UnsupportedError: a program is to have descriptors of this host.

    """
    if line.own.text("preserve-fds") not in {"", "0"}:
        raise UnsupportedError(
            "no descriptor but 0, 1 and 2 reaches a node (--preserve-fds); mount the file that it leads to instead"
        )
