"""What a script came to: output, status, files; with the names of its own side taken out."""

from __future__ import annotations

import dataclasses
import os
import re
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Mapping

# Containers and images are numbers of 64 or 12 digits, of which none is the same twice.
IDS = re.compile(rb"(?<![0-9A-Za-z])(?:[0-9a-f]{64}|[0-9a-f]{12})(?![0-9A-Za-z])")
KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


@dataclasses.dataclass(frozen=True)
class File:
    """What is compared of a file; ``content`` of a link is where it leads to."""

    kind: str
    mode: int
    owner: tuple[int, int]
    links: int
    content: bytes = b""

    def line(self) -> str:
        return f"{self.kind} {self.mode:o} {self.owner[0]}:{self.owner[1]} {self.links} {self.content!r}"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """All of it.

    Attributes:
        took: seconds from its start to its end.
        stuck: why it was ended, if it did not end by itself.

    """

    stdout: bytes
    stderr: bytes
    status: int
    files: Mapping[bytes, File]
    took: float
    stuck: str = ""


CHANCE = re.compile(
    rb"failed to resize tty, using default size\r\n"  # docker 20.10, when a program with a terminal is a short one
    rb"|\x1b\[6n"  # busybox's shell asks the terminal where the cursor is, if nothing has been typed yet
    rb'|time="[^"]*" level=warning msg="[^\n]*cgroup[^\n]*\n'  # runc 1.1.15 and 1.3, of those of this machine
)
"""What is said with any runtime now and then, or of this machine: it is no difference."""


def without_names(data: bytes, names: Mapping[str, str]) -> bytes:
    """The bytes without what is said by chance, and with words for a side's names and for ids of the engine."""
    data = CHANCE.sub(b"", data)
    for name, word in names.items():
        data = data.replace(name.encode(), word.encode())
    return IDS.sub(lambda match: b"ID" * (len(match[0]) // 12), data)


def files_below(directory: pathlib.Path, names: Mapping[str, str]) -> dict[bytes, File]:
    """Everything in a directory, by its path from there."""
    found: dict[bytes, File] = {}
    top = os.fsencode(directory)
    for parent, directories, others in os.walk(top):
        for name in directories + others:
            path = os.path.join(parent, name)
            found[without_names(os.path.relpath(path, top), names)] = _file(path, names)
    return found


def _file(path: bytes, names: Mapping[str, str]) -> File:
    status = os.lstat(path)
    kind = KINDS[stat.S_IFMT(status.st_mode)]
    content = b""
    if kind == "file":
        with open(path, "rb") as file:
            content = file.read()
    elif kind == "link":
        content = os.readlink(path)
    # How many entries a directory has is seen by its entries.
    links = 1 if kind == "directory" else status.st_nlink
    owner = (status.st_uid, status.st_gid)
    return File(kind, stat.S_IMODE(status.st_mode), owner, links, without_names(content, names))
