"""CDI files on this host: its own, and copies of a node's."""

import os
from collections.abc import Iterable

from proto.errors import reason

from .registry import Registry, register

DIRECTORIES = ("/etc/cdi", "/var/run/cdi")
"""Where they are, the one that counts more last (SPEC.md; both engines look there, and runc and crun do not)."""
_SUFFIXES = (".json", ".yaml")
_READ_LIMIT = 4 << 20


def registry_of(places: Iterable[tuple[str, str]]) -> Registry:
    """What files say.

    Args:
        places: pairs of a directory, and of the one for which it stands.

    """
    return register(_files(directory, shown) for directory, shown in places)


def host_registry() -> Registry:
    """What the files of this host say."""
    return registry_of(zip(DIRECTORIES, DIRECTORIES, strict=True))


def _files(directory: str, shown: str) -> list[tuple[str, bytes]]:
    try:
        names = sorted(name for name in os.listdir(directory) if name.endswith(_SUFFIXES))
    except OSError:
        return []
    found = []
    for name in names:
        try:
            with open(f"{directory}/{name}", "rb") as file:
                text = file.read(_READ_LIMIT)
        except OSError as error:
            text = f"cannot be read: {reason(error)}".encode()  # which is neither JSON nor a specification
        found.append((f"{shown}/{name}", text))
    return found
