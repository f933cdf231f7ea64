"""What an engine calls a container and its image: for people who look for its job, and for nothing else.

config.json of podman and docker has neither. Their own records have both: of podman the lists of containers/storage,
beside the bundle's directory, of docker the file beside the ``/etc/hostname`` that it mounts. An engine that is not
known here, or a record that cannot be read, costs the names.
"""

import json
import os
import stat
from typing import Any

from actors.oci.bundle import Bundle
from proto.value import Value

NAMES = ("io.kubernetes.cri.container-name", "io.kubernetes.container.name", "nerdctl/name")
"""Annotations with the container's name: of containerd, cri-o and nerdctl."""
IMAGES = ("io.kubernetes.cri.image-name", "io.kubernetes.cri-o.ImageName", "org.opencontainers.image.ref.name")
"""Annotations with the image's name: of containerd, cri-o, and the image specification (annotations.md)."""
LISTS = ("containers.json", "volatile-containers.json")
"""The second, since containers/storage of podman 4.4, has those with ``--rm``."""
DOCKERS = "config.v2.json"
SIZE_LIMIT = 8 << 20
"""Bytes of a record; a container is half a KiB of podman's lists."""
TEXT_LIMIT = 1000
"""Characters of a name."""
_UNREADABLE = (OSError, ValueError, RecursionError, AttributeError, TypeError, LookupError)
"""What comes of a file that is not there, is another user's, or has another form."""


class Called(Value):
    """The names; empty where the engine tells none."""

    name: str = ""
    image: str = ""


def called(bundle: Bundle, container_id: str) -> Called:
    """What the engine that made the bundle calls the container and its image."""
    noted = Called(_first(bundle.annotations, NAMES), _first(bundle.annotations, IMAGES))
    found = noted if noted.name else _of_podman(bundle, container_id) or _of_docker(bundle, container_id) or noted
    return Called(found.name[:TEXT_LIMIT], found.image[:TEXT_LIMIT])


def _first(annotations: dict[str, str], keys: tuple[str, ...]) -> str:
    return next((annotations[key] for key in keys if annotations.get(key)), "")


def _of_podman(bundle: Bundle, container_id: str) -> Called | None:
    """Its bundles are ``…/overlay-containers/ID/userdata``."""
    directory, _, last = bundle.path.removesuffix("/userdata").rpartition("/")
    for name in LISTS if last == container_id else ():
        try:
            found = next(entry for entry in _record(f"{directory}/{name}") if entry["id"] == container_id)
            return Called(str(found["names"][0]), str(json.loads(found["metadata"]).get("image-name") or ""))
        except (*_UNREADABLE, StopIteration):
            continue
    return None


def _of_docker(bundle: Bundle, container_id: str) -> Called | None:
    """Its ``/etc/hostname`` is ``…/containers/ID/hostname``, whatever the network."""
    directory = os.path.dirname(os.fsdecode(bundle.binds.get(b"/etc/hostname", b"")))
    if os.path.basename(directory) != container_id:
        return None
    try:
        found = _record(f"{directory}/{DOCKERS}")
        return Called(str(found["Name"]).lstrip("/"), str(found["Config"]["Image"]))
    except _UNREADABLE:
        return None


def _record(path: str) -> Any:
    """A file of JSON.

    Raises:
        OSError: it cannot be read, is no regular file, or too large.
        ValueError: it is no JSON.

    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_size > SIZE_LIMIT:
            raise OSError
        return json.loads(os.read(descriptor, status.st_size))
    finally:
        os.close(descriptor)
