"""All state directories that are listened to: one user's, or as root those of all users of this host."""

import resource
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic

from proto.host.paths import fd_path
from scrun.box import all_users

from .births import Births
from .crowd import Audience, Crowd, T_co
from .following import Following
from .others import FollowingOthers

if TYPE_CHECKING:
    import zmq

LOOK = 1.0
"""Seconds between two looks who has come or gone."""
SOON = 0.02
"""Seconds until it looks whether one that was born has a socket."""

Roots = Callable[[], list[tuple[int, str]]]


class Crowds(Generic[T_co]):
    """Where to listen, and when to look."""

    def __init__(
        self, context: "zmq.Context[zmq.Socket[bytes]]", root: str, audience: Audience[T_co],
        roots: Roots = all_users.roots, *, prefixes: tuple[str, ...] = (), pause: float = LOOK,
    ) -> None:  # fmt: skip
        """Args:
        context: makes a SUB for each directory.
        root: the one directory, which is there; empty: all users'.
        audience: who wants to know.
        roots: where those may be.
        prefixes: of the topics that are listened to; none: all.
        pause: seconds between two looks who has come or gone.
        """
        import zmq

        self._context = context
        self._audience = audience
        self._roots = list if root else roots
        self._prefixes = prefixes
        self._pause = pause
        self._crowds: dict[str, Crowd[T_co]] = {}
        self._folders: dict[str, all_users.Folder] = {}
        self._poller = zmq.Poller()
        self._due = 0.0
        if root:
            sock = context.socket(zmq.SUB)
            self._add(root, sock, Following(sock, root, prefixes), Births(root))

    def followed(self) -> int:
        """Containers that are listened to."""
        return sum(len(crowd.following.ears) for crowd in self._crowds.values())

    def directories(self) -> list[Following]:
        """The state directories that there are."""
        return [crowd.following for crowd in self._crowds.values()]

    def beside(self, root: str, sock: "zmq.Socket[bytes]") -> Following:
        """Another listener to containers of a state directory, to all that they say, with a SUB of its own."""
        folder = self._folders.get(root)
        return Following(sock, root) if folder is None else FollowingOthers(sock, folder)

    def hear(self) -> Iterator[T_co]:
        """What has changed since the last call."""
        for crowd in self._crowds.values():
            yield from crowd.hear()
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + self._pause
            yield from self._look()

    def wait(self, longest: float) -> None:
        """Until there is something to hear, or to look for, but no longer than so many seconds."""
        born = any(crowd.following.born for crowd in self._crowds.values())
        seconds = min(longest, self._due - time.monotonic(), SOON if born else LOOK)
        self._poller.poll(max(0, int(seconds * 1000) + 1))

    def close(self) -> None:
        """Listen no longer."""
        for crowd in self._crowds.values():
            crowd.close()
        for folder in self._folders.values():
            folder.close()

    def _look(self) -> Iterator[T_co]:
        for root, folder in list(self._folders.items()):
            if folder.gone():
                yield from self._remove(root)
        for uid, root in self._roots():
            if root not in self._crowds:
                self._enter(uid, root)
        for crowd in self._crowds.values():
            yield from crowd.look()

    def _enter(self, uid: int, root: str) -> None:
        import zmq

        try:
            folder = all_users.Folder(uid, root)
        except OSError:
            return  # no state directory, or none of that user's
        self._folders[root] = folder
        sock = self._context.socket(zmq.SUB)
        births = Births(fd_path(folder.descriptor))  # of this one, whatever the path leads to by now
        self._add(root, sock, FollowingOthers(sock, folder, self._prefixes), births)

    def _add(self, root: str, sock: "zmq.Socket[bytes]", following: Following, births: Births) -> None:
        import zmq

        self._crowds[root] = Crowd(sock, following, births, self._audience)
        self._poller.register(sock, zmq.POLLIN)
        if births.descriptor >= 0:
            self._poller.register(births.descriptor, zmq.POLLIN)

    def _remove(self, root: str) -> Iterator[T_co]:
        crowd = self._crowds.pop(root)
        self._poller.unregister(crowd.sock)
        if crowd.births.descriptor >= 0:
            self._poller.unregister(crowd.births.descriptor)
        yield from crowd.leave()
        crowd.close()
        self._folders.pop(root).close()


def allow_descriptors() -> None:
    """As many as the system lets it have: a container takes two."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
