"""A container's directory: reserved by ``create``, taken away by ``delete``, and never by two at once.

Who makes the directory owns the id. The lock inside says whether a process of the container is left: all of
them inherit the one locked descriptor, so it is free only when the last of them has ended. On the path of a hot
verb: no ``shutil``, no ``tempfile``.
"""

import errno
import fcntl
import os
import stat
import time

from proto.errors import AlreadyExistsError, DeadlineError, ScrunError, SettingsError, reason, unwritable
from proto.host.paths import DIRECTORY_MODE, ContainerPaths
from proto.host.trees import remove_tree

# A directory on its way out; no id has this character.
DOOMED = "~"
YOUNG = 60.0
"""Seconds for which a directory without a container may be a ``create`` that has not locked it yet."""
SWEEP_LIMIT = 1.0
"""Seconds that a command which is taking a directory away may need."""
_POLL = 0.01


def reserve(paths: ContainerPaths) -> int:
    """Make the container's directory and return the descriptor of its lock, locked and inheritable.

    Raises:
        AlreadyExistsError: the id is in use.
        SettingsError: the directory cannot be made.

    """
    while True:
        try:
            os.mkdir(paths.directory, DIRECTORY_MODE)
        except FileExistsError:
            return _reclaim(paths)
        except OSError as error:
            raise SettingsError(f"cannot make {paths.directory}: {reason(error)}") from None
        try:
            lock = wait_for_lock(paths, time.monotonic() + SWEEP_LIMIT)
        except DeadlineError:
            raise AlreadyExistsError("container with given ID already exists") from None
        if lock is not None:
            os.set_inheritable(lock, True)
            return lock
        # A command on a host whose clock is ahead took it for one that a killed ``create`` left, and has taken it away.


def _reclaim(paths: ContainerPaths) -> int:
    """Take over what a ``create`` left that was killed before its container existed.

    Raises:
        AlreadyExistsError: it is a container.

    """
    lock = None if os.path.exists(paths.state) else try_lock(paths)
    if lock is None:
        raise AlreadyExistsError("container with given ID already exists")
    if os.path.exists(paths.state):
        os.close(lock)
        raise AlreadyExistsError("container with given ID already exists")
    for name in os.listdir(paths.directory):
        if name != "lock":
            remove_tree(f"{paths.directory}/{name}")
    os.set_inheritable(lock, True)
    return lock


def try_lock(paths: ContainerPaths) -> int | None:
    """Lock the container's lock file if no process of the container is left; return its descriptor."""
    lock = _open_lock(paths.lock)
    if lock is None:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # While we waited for nothing, the directory may have been taken away, and even made anew.
        if os.path.samestat(os.fstat(lock), os.stat(paths.lock)):
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _open_lock(path: str) -> int | None:
    """Open a lock file; a file system that has become read-only does not take the locks away."""
    for flags in (os.O_RDWR | os.O_CREAT, os.O_RDONLY):
        try:
            return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            if error.errno != errno.EROFS:
                return None
    return None


def wait_for_lock(paths: ContainerPaths, deadline: float) -> int | None:
    """Wait until no process of the container is left; None if another process has taken the directory away.

    Raises:
        DeadlineError: processes of it are still there at ``deadline`` (of ``time.monotonic``).

    """
    while True:
        lock = try_lock(paths)
        if lock is not None:
            return lock
        if not os.path.isdir(paths.directory):
            return None
        if time.monotonic() >= deadline:
            raise DeadlineError(f"processes of container {paths.id} are still there; try again")
        time.sleep(_POLL)


def remove(paths: ContainerPaths) -> None:
    """Take the directory away: the id is free at once, whatever becomes of the rest.

    Raises:
        StorageError: it cannot be taken away.

    """
    doomed = f"{paths.root}/{DOOMED}{paths.id[:200]}.{os.getpid()}"
    try:
        os.rename(paths.directory, doomed)
    except FileNotFoundError:
        return
    except OSError as error:
        remove_tree(paths.directory)
        if os.path.isdir(paths.directory):
            raise unwritable(paths.root, error) from None
    else:
        remove_tree(doomed)


def sweep(root: str) -> None:
    """Finish what a killed ``delete`` began, and take away what a killed ``create`` did not get far with.

    All that can be told by looking; what needs a journal and Slurm is ``scrun gc``'s. Nothing of another user's is
    touched: root may look at everybody's directories.
    """
    if os.lstat(root).st_uid != os.getuid():
        return
    for name in os.listdir(root):
        if name.startswith(DOOMED):
            remove_tree(f"{root}/{name}")
        elif not os.path.exists(f"{root}/{name}/state.json"):
            try:
                paths = ContainerPaths(root, name)
            except ScrunError:
                continue
            if is_half_made(paths) and (lock := try_lock(paths)) is not None:
                if is_half_made(paths):
                    try:
                        remove(paths)
                    except ScrunError:
                        pass  # the caller has not asked for it
                os.close(lock)


def is_half_made(paths: ContainerPaths) -> bool:
    """Whether a ``create`` was killed here before there was a container, and long enough ago not to be at work."""
    if paths.id.startswith(".") or os.path.exists(paths.state) or os.path.exists(paths.journal):
        return False  # a point: of the scheduler "local"
    try:
        status = os.lstat(paths.directory)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and time.time() - status.st_ctime >= YOUNG
