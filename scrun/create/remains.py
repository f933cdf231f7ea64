"""Dead containers that a ``create`` passes: ``gc`` is started beside it, once for each of them.

Who has all processes of a user killed (``kill -9 -1``, a session without memory) leaves jobs that nobody holds, and no
engine calls ``delete`` for them by itself. The same jobs are left by a machine that was started anew: then the state
directory is gone, too, so ``gc`` is also started by whoever makes the user's own anew.

A look costs 30 µs. No more than ``LOOKS`` containers are looked at, each time others, so that ``create`` takes as long
beside a thousand of them.
"""

import os

from proto.errors import ScrunError
from proto.host.paths import ContainerPaths, default_root
from scrun.box import directory
from scrun.box.box import find
from scrun.packages import PROGRAM

LOOKS = 16


def see_to(own: ContainerPaths, *, new: bool) -> None:
    """Start ``gc`` if a container is found whose processes are dead and whose end is not recorded.

    Args:
        own: the container that was created.
        new: whether its state directory was made for it.

    Raises:
        OSError: the state directory is gone again, or there can be no more processes.

    """
    anew = new and own.root == default_root({"XDG_RUNTIME_DIR": os.environ.get("XDG_RUNTIME_DIR", "")})
    if anew or any(_is_a_find(own.root, name) for name in _some(own)):
        _collect(own.root)


def _some(own: ContainerPaths) -> list[str]:
    names = [name for name in os.listdir(own.root) if name != own.id and not name.startswith(".")]
    begin = os.getpid() % len(names) if len(names) > LOOKS else 0
    return (names + names)[begin : begin + min(LOOKS, len(names))]


def _is_a_find(root: str, name: str) -> bool:
    """Whether a container is dead, without a record of its end, and no ``create`` has found it before."""
    try:
        box = find(root, name)
    except ScrunError:
        return False
    lock = None if box.recorded == "stopped" else directory.try_lock(box.paths)
    if lock is None:
        return False
    try:
        os.close(os.open(box.paths.found, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError:
        return False  # found before, or its directory takes nothing
    finally:
        os.close(lock)
    return True


def _collect(root: str) -> None:
    """Start ``gc`` without a word; nobody waits for it."""
    from actors.process.forking import become

    words = (*PROGRAM, "--root", root, "gc")
    if os.fork() == 0:
        try:
            os.setsid()
            null = os.open(os.devnull, os.O_RDWR)
            env = (key + b"=" + value for key, value in os.environb.items())
            become([os.fsencode(word) for word in words], env, dict.fromkeys((0, 1, 2), null), "/")
        finally:
            os._exit(1)
