"""The containers of all users of this host, for root: what each user has where scrun puts it of itself.

What is found there is a user's: it may be a link to somewhere else, a pipe, or nonsense that is made for root's eyes.
So no link is followed, nothing is read that is not the user's own, and what is read may say anything.
"""

import os
import stat
from collections.abc import Iterator

from proto.errors import ScrunError
from proto.host.paths import ContainerPaths

from .box import SIZE_LIMIT, Box

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def roots(run: str = "/run", temporary: str = "/tmp") -> list[tuple[int, str]]:  # noqa: S108 - owners are looked at
    """User and path of each state directory that may be there: those of ``proto.host.paths.default_root``."""
    users = [name for name in _names(f"{run}/user") if _is_number(name)]
    others = [name for name in _names(temporary) if name.startswith("scrun-") and _is_number(name[6:])]
    return [
        (0, f"{run}/scrun"),
        *((int(name), f"{run}/user/{name}/scrun") for name in users),
        *((int(name[6:]), f"{temporary}/{name}") for name in others),
    ]


def boxes(uid: int, root: str) -> Iterator[Box]:
    """The containers in a state directory that is the user's, in order of their ids."""
    try:
        folder = os.open(root, _FOLDER)
    except OSError:
        return
    try:
        for name in sorted(os.listdir(folder)) if os.fstat(folder).st_uid == uid else ():
            try:
                yield Box(ContainerPaths(root, name), _text(folder, name, uid))
            except (OSError, ScrunError):
                continue  # no container, none yet, or none any more
    finally:
        os.close(folder)


def _text(folder: int, name: str, uid: int) -> bytes:
    """A container's state file.

    Raises:
        OSError: it is none of the user's, or cannot be read.

    """
    inside = os.open(name, _FOLDER, dir_fd=folder)
    try:
        descriptor = os.open("state.json", _FILE, dir_fd=inside)
    finally:
        os.close(inside)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != uid:
            raise PermissionError
        return os.read(descriptor, SIZE_LIMIT)
    finally:
        os.close(descriptor)


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()
