"""The containers of all users of this host, for root: what each user has where scrun puts it of itself.

What is found there is a user's: it may be a link to somewhere else, a pipe, or nonsense that is made for root's eyes.
So no link is followed, nothing is read that is not the user's own, and what is read may say anything.
"""

import os
import stat

from proto.errors import ScrunError
from proto.host.paths import ContainerPaths

from .box import SIZE_LIMIT, Box

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_SOCKET = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC


def roots(run: str = "/run", temporary: str = "/tmp") -> list[tuple[int, str]]:  # noqa: S108 - owners are looked at
    """User and path of each state directory that may be there: those of ``proto.host.paths.default_root``."""
    users = [name for name in _names(f"{run}/user") if _is_number(name)]
    others = [name for name in _names(temporary) if name.startswith("scrun-") and _is_number(name[6:])]
    return [
        (0, f"{run}/scrun"),
        *((int(name), f"{run}/user/{name}/scrun") for name in users),
        *((int(name[6:]), f"{temporary}/{name}") for name in others),
    ]


class Folder:
    """A state directory that is the user's, held open.

    Attributes:
        descriptor: of the directory.

    """

    def __init__(self, uid: int, root: str) -> None:
        """Raises:
        OSError: it is not there, or is somebody else's.
        """
        self.root = root
        self._uid = uid
        self.descriptor = os.open(root, _FOLDER)
        if os.fstat(self.descriptor).st_uid != uid:
            self.close()
            raise PermissionError

    def names(self) -> list[str]:
        """What is in it, in order."""
        return sorted(os.listdir(self.descriptor))

    def box(self, name: str) -> Box:
        """A container.

        Raises:
            OSError, ScrunError: it is none, none yet or none any more, or its state file is none of the user's.

        """
        return Box(ContainerPaths(self.root, name), self._text(name))

    def has(self, name: str) -> bool:
        """Whether there is a directory of that name."""
        try:
            os.close(self._inside(name))
        except OSError:
            return False
        return True

    def socket(self, name: str) -> int:
        """A descriptor (``O_PATH``) of the container's tap: it is that, whatever is put in its place.

        Raises:
            OSError: it is none of the user's, or not there.

        """
        return self._opened(name, "tap", _SOCKET, stat.S_ISSOCK)

    def gone(self) -> bool:
        """Whether the directory was removed."""
        return os.fstat(self.descriptor).st_nlink == 0

    def close(self) -> None:
        """Hold it no longer."""
        os.close(self.descriptor)

    def open(self, name: str, file: str) -> int:
        """A descriptor to read a file of a container.

        Raises:
            OSError: it is none of the user's, or not there.

        """
        return self._opened(name, file, _FILE, stat.S_ISREG)

    def _text(self, name: str) -> bytes:
        descriptor = self.open(name, "state.json")
        try:
            return os.read(descriptor, SIZE_LIMIT)
        finally:
            os.close(descriptor)

    def _inside(self, name: str) -> int:
        return os.open(name, _FOLDER, dir_fd=self.descriptor)

    def _opened(self, name: str, file: str, flags: int, is_kind: "Callable[[int], bool]") -> int:
        inside = self._inside(name)
        try:
            descriptor = os.open(file, flags, dir_fd=inside)
        finally:
            os.close(inside)
        status = os.fstat(descriptor)
        if not is_kind(status.st_mode) or status.st_uid != self._uid:
            os.close(descriptor)
            raise PermissionError
        return descriptor


def boxes(uid: int, root: str) -> "Iterator[Box]":
    """The containers in a state directory that is the user's, in order of their ids."""
    try:
        folder = Folder(uid, root)
    except OSError:
        return
    try:
        for name in folder.names():
            try:
                yield folder.box(name)
            except (OSError, ScrunError):
                continue  # no container, none yet, or none any more
    finally:
        folder.close()


def _names(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))
    except OSError:
        return []


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit()
