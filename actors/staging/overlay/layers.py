"""What a root file system consists of, and what each of its top directories consists of."""

import os
import stat
from collections.abc import Sequence

from actors.oci.overlay import OWN, Top
from actors.staging.images.marks import OPAQUE


def tops(root: str, layers: Sequence[str]) -> list[Top]:
    """The top directories of a root file system, each with the layers that have it.

    Args:
        root: the root file system as this host's engine shows it.
        layers: what it consists of, the topmost first.

    """
    with os.scandir(root) as entries:
        names = sorted(entry.name for entry in entries if entry.is_dir(follow_symlinks=False) and entry.name not in OWN)
    return [Top(name, tuple(_lowers(name, layers))) for name in names]


def _lowers(name: str, layers: Sequence[str]) -> list[str]:
    found = []
    for layer in layers:
        path = f"{layer}/{name}"
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(mode):
            break  # a whiteout, or something else that a directory of a higher layer has replaced
        found.append(path)
        if is_opaque(path):
            break
    return found


def is_opaque(directory: str) -> bool:
    """Whether a directory of a layer hides those of its name in lower layers."""
    try:
        return os.getxattr(directory, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False
