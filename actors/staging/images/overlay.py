"""Reads from ``/proc/self/mountinfo`` what an overlay is made of, and knows the layers of the engines.

The contents of a layer never change once it is the lower directory of a container, and its name says which it is:

* podman and buildah (containers/storage): ``overlay/ID/diff``. An image's layer has an ID made of the digests of its
  contents and of the layers below it, so it is the same for all users and hosts; other IDs are random numbers.
* docker (overlay2): ``overlay2/ID/diff``. The ID is a random number; ``image/overlay2/layerdb`` says, to root, which
  chain of digests it is. ``ID-init`` is made for each container, with the mount points of docker's own in it.
* containerd's snapshotter ``overlayfs``: ``snapshots/N/fs``. Numbers begin anew when its data base is lost, so
  inode and ctime go with them: no two directories of one file system share both.

All that is in another place is no layer as far as this module knows.
"""

import functools
import os
import re

from actors.staging.filesystem import unescape
from proto.value import Value

_ID = re.compile(r"[0-9a-f]{64}")
_LOWER = re.compile(r"(?:\\.|[^:\\])+")
_NO_LONGER = 512


class Overlay(Value):
    """An overlay mount.

    Attributes:
        lowers: its lower directories, the topmost first, absolute.
        upper: its upper directory; empty if it is mounted read-only.

    """

    lowers: tuple[str, ...]
    upper: str


class Layer(Value):
    """A layer of an engine.

    Attributes:
        path: its directory.
        token: what says which it is; another layer has another one.

    """

    path: str
    token: str


def overlay_at(path: str, mountinfo: str) -> Overlay | None:
    """What is mounted at a path, if that is an overlay and the kernel tells its directories.

    Args:
        path: of the root file system.
        mountinfo: the contents of ``/proc/self/mountinfo``, where later lines lie on top of earlier ones.

    """
    here = os.path.realpath(path)
    for line in reversed(mountinfo.splitlines()):
        words = line.split(" ")
        if unescape(words[4]) == here:
            separator = words.index("-", 6)
            options = words[separator + 3].split(",")
            return _overlay(here, options) if words[separator + 1] == "overlay" and words[3] == "/" else None
    return None


def layer_at(path: str) -> Layer | None:
    """The layer whose contents a directory has, if an engine vouches for it."""
    for known in (_of_podman, _of_docker, _of_containerd):
        if token := known(path):
            return Layer(path, token)
    return None


def is_made_anew(path: str) -> bool:
    """Whether a lower directory belongs to one container only, and is like an upper one."""
    identifier = os.path.basename(os.path.dirname(path))
    return os.path.basename(path) == "diff" and identifier.endswith("-init") and bool(_ID.fullmatch(identifier[:-5]))


def _overlay(point: str, options: list[str]) -> Overlay | None:
    # Linux 6.7 tells "lowerdir+" for each where they were given so; a mount for data only has no layers to be read.
    values = [option.partition("=")[::2] for option in options]
    named = dict(values)
    if "datadir+" in named or "::" in named.get("lowerdir", ""):
        return None
    upper = unescape(named.get("upperdir", ""))
    base = _base(point, upper)
    upper = os.path.join(base, upper) if upper else ""
    if "lowerdir" in named:
        lowers = [re.sub(r"\\(.)", r"\1", each) for each in _LOWER.findall(unescape(named["lowerdir"]))]
    else:
        lowers = [unescape(value) for name, value in values if name == "lowerdir+"]
    paths = [each if each.startswith("/") else os.path.join(base, each) for each in lowers]
    if not paths or not all(each.startswith("/") for each in (*paths, upper or "/")):
        return None
    real = [os.path.realpath(each) for each in paths]
    return Overlay(tuple(each for each in real if not _is_filler(each)), upper)


def _base(point: str, upper: str) -> str:
    """Where relative names of lower directories begin: engines shorten a list that is longer than a page."""
    if upper.startswith("/") and os.path.basename(upper) == "fs":
        return os.path.dirname(os.path.dirname(upper))  # containerd: snapshots/N/fs
    return os.path.dirname(os.path.dirname(point))  # podman, docker: overlay/ID/merged


def _is_filler(path: str) -> bool:
    """Whether it is podman's empty directory that makes two lower directories of one, as the kernel demands."""
    try:
        return os.path.basename(path) == "empty" and not os.listdir(path)
    except OSError:
        return False


def _of_podman(path: str) -> str:
    store = _store_of(path)
    return f"podman {_name_of(path)}" if store and os.path.isdir(f"{store}/overlay-layers") else ""


def _of_docker(path: str) -> str:
    store = _store_of(path)
    if not store or os.path.basename(os.path.dirname(os.path.dirname(path))) != "overlay2":
        return ""
    chain = _chain_of(f"{store}/image/overlay2/layerdb/sha256", _name_of(path))
    # BuildKit has layers that no image has yet; their random numbers will do on this host.
    return f"docker {chain}" if chain else _local_token("docker", path)


def _of_containerd(path: str) -> str:
    *_, snapshots, number, last = ("", "", *path.split("/"))
    return _local_token("containerd", path) if (snapshots, last) == ("snapshots", "fs") and number.isdecimal() else ""


def _store_of(path: str) -> str:
    """The directory of an engine's storage, above ``DRIVER/ID/diff``."""
    home = os.path.dirname(os.path.dirname(path))
    fits = os.path.basename(path) == "diff" and _ID.fullmatch(_name_of(path)) and os.path.isdir(f"{home}/l")
    return os.path.dirname(home) if fits else ""


def _name_of(path: str) -> str:
    return os.path.basename(os.path.dirname(path))


def _chain_of(database: str, identifier: str) -> str:
    """The digest of the chain of layers that docker keeps under an identifier; nothing for whoever is not root."""
    try:
        return _chains(database, os.stat(database).st_mtime_ns).get(identifier, "")
    except (OSError, ValueError):
        return ""


@functools.lru_cache(maxsize=4)
def _chains(database: str, changed: int) -> dict[str, str]:
    """Identifier to chain; read once for all layers of an image, and again when one was added (``changed``)."""
    del changed
    found = {}
    for name in os.listdir(database):
        with open(f"{database}/{name}/cache-id", encoding="ascii") as file:
            found[file.read(_NO_LONGER)] = name
    return found


def _local_token(engine: str, path: str) -> str:
    try:
        status = os.stat(path)
        with open("/etc/machine-id", encoding="ascii", errors="replace") as file:
            machine = file.read(_NO_LONGER).strip()
    except OSError:
        return ""
    return f"{engine} {machine} {path} {status.st_dev} {status.st_ino} {status.st_ctime_ns}"
