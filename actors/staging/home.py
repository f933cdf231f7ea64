"""The variable HOME, where nobody has set it: as the image's ``/etc/passwd`` has it for the program's user, or ``/``.

Runtimes do so, but what they set is not what the program gets: its variables are in the entry file, and of those of the
step none but Slurm's own goes before them.
"""

import os

from actors.oci.image_path import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

USERS = "etc/passwd"
LIMIT = 1 << 20
"""Bytes of it that are read."""


def with_home(process: "dict[str, Any]", root: str) -> "dict[str, Any]":
    """``process`` of config.json with a HOME that is not empty; the original is not changed.

    Args:
        process: of the container, or of a program that is added.
        root: the root file system on this host.

    """
    env = process.get("env") or []
    if any(entry.startswith("HOME=") and entry != "HOME=" for entry in env):
        return process
    home = _home((process.get("user") or {}).get("uid", 0), root)
    return {**process, "env": [*(entry for entry in env if entry != "HOME="), f"HOME={home}"]}


def _home(uid: int, root: str) -> str:
    there, missing = resolve(root, USERS)
    try:
        if missing:
            return "/"
        with open(os.path.join(root, *there), "rb", opener=_opener) as file:
            lines = file.read(LIMIT).splitlines()
    except OSError:
        return "/"
    for line in lines:
        words = line.split(b":")
        if len(words) > 5 and words[2] == b"%d" % uid:
            return words[5].decode("utf-8", "surrogateescape") or "/"
    return "/"


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)  # a named pipe would wait
