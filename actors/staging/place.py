"""Where this host has what an engine has mounted on a path of its own: the source of a volume that is a mount.

podman (``volume create -o type=bind -o device=DIR``, ``type=nfs`` …) and docker's local driver mount such a volume on
``VOLUMES/NAME/_data``, podman in a mount namespace that nobody else sees. In config.json is that path, and under that
path a node has an empty directory at best. What is mounted there follows from ``/proc/self/mountinfo`` (proc(5)): of
two mounts of one file system, each shows what is below its root there.
"""

import os

from proto.value import Value

from .filesystem import MEMORY, NETWORK_FILE_SYSTEMS, unescape

VOLUME = "_data"
"""Name of the directory of a volume, podman's and docker's."""


class Mounted(Value):
    """A line of mountinfo.

    Attributes:
        device: numbers of the file system's device, ``MAJOR:MINOR``.
        root: the directory of the file system that is mounted.
        point: where.
        kind: type of the file system.
        source: what is mounted, in the words of that type: ``server:/export``.

    """

    device: str
    root: str
    point: str
    kind: str
    source: str

    @property
    def server(self) -> str:
        """The server's own path of a network file system's root, else nothing."""
        return f"{self.source.rstrip('/')}/{self.root.strip('/')}".rstrip("/") if self.remote else ""

    @property
    def remote(self) -> bool:
        """Whether other machines see the file system, too."""
        return self.kind in NETWORK_FILE_SYSTEMS


def read(text: str) -> list[Mounted]:
    """The mounts of a mountinfo file, in its order: of several on one point the topmost is the last."""
    found = []
    for line in text.splitlines():
        words = line.split()
        rest = words[words.index("-", 6) + 1 :]
        source = unescape(rest[1]) if len(rest) > 1 else ""
        found.append(Mounted(words[2], unescape(words[3]), unescape(words[4]), rest[0], source))
    return found


def current() -> list[Mounted]:
    """The mounts of this process."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return read(file.read())


def place_of(path: str, mounts: list[Mounted]) -> tuple[str, str]:
    """Where this host has what a volume's path shows.

    Args:
        path: absolute, without links.
        mounts: of this process.

    Returns:
        The other path, or nothing if the path itself will do; and what is mounted there, if there is no other path.

    """
    volume = _holder(path, mounts)
    if volume is None or os.path.basename(volume.point) != VOLUME:
        return "", ""
    inner = path[len(volume.point) :]
    for candidate in _candidates(volume, mounts):
        if _same(candidate + inner, path):
            return candidate + inner, ""
    if volume.kind in MEMORY:
        return "", ""  # it is here, and nowhere else: what is copied
    return "", f"{volume.source}, {volume.kind}"


def _holder(path: str, mounts: list[Mounted]) -> Mounted | None:
    """The mount that a path is in."""
    holders = [mount for mount in mounts if path == mount.point or path.startswith(mount.point.rstrip("/") + "/")]
    return max(reversed(holders), key=lambda mount: len(mount.point), default=None)


def _candidates(volume: Mounted, mounts: list[Mounted]) -> list[str]:
    """Paths that should show the same, those of the nearest mounts first: that is the name that people use."""
    found = []
    for mount in mounts:
        if f"/{VOLUME}" in mount.point:
            continue  # another volume
        for mine, other in ((volume.root, mount.root), (volume.server, mount.server)):
            alike = mine == volume.server or mount.device == volume.device
            if mine and other and alike and (rest := _below(mine, other)) is not None:
                found.append((len(other), mount.point.rstrip("/") + rest))
    return [path or "/" for _, path in sorted(found, key=lambda entry: -entry[0])]


def _below(path: str, top: str) -> str | None:
    """What leads from a directory to a path in it: empty, or beginning with a slash."""
    top = top.rstrip("/")
    return path[len(top) :].rstrip("/") if path == top or path.startswith(top + "/") else None


def _same(one: str, other: str) -> bool:
    """Whether two paths lead to one file: something else may be mounted over either.

    Two mounts of one export may have two device numbers; the server numbers its files once.
    """
    try:
        return os.stat(one).st_ino == os.stat(other).st_ino
    except OSError:
        return False
