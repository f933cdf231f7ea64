"""How containers ended, for those who ask after ``delete`` has taken the directory away: ``ROOT/.ends~/ID.end``.

Engines delete a container as soon as it has ended, and with it all that says why. So whoever finds out its end, the
state actor or the guard, leaves a file of its own here: nothing on the way of ``delete``, and no two writers meet but
those of one container, of whom the later has the truth. A file is there whole or not at all. The oldest go; a disk
that takes none costs the history and nothing else. No id has a ``~`` in it, so this can be no container.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator

from proto.errors import ProtocolError
from proto.host.paths import DIRECTORY_MODE, ID_ALPHABET
from proto.value import Value, replace
from proto.wire.codec import from_plain, to_plain

from .container import Container
from .ending import Ending

DIRECTORY = ".ends~"
LIMIT = 500
"""Ends that are kept: with a page for each, 2 MiB of what is often a tmpfs."""
TEXT_LIMIT = 1000
"""Characters of a sentence and of the names of nodes: with the id, a file has 16 KiB at most."""
_READ_LIMIT = 64 << 10
_SUFFIX = ".end"
"""No file of a container ends so: none of these is taken for one."""


class End(Value):
    """How a container ended. It has nothing of its program's arguments and environment.

    Attributes:
        id: of the container.
        created, ended: seconds since the epoch.
        ending: why, and with which exit status.
        job_id: Slurm's number, or 0.
        nodes: of the job.
        ran: whether its program ever ran.

    """

    id: str
    created: float
    ended: float
    ending: Ending
    job_id: int = 0
    nodes: str = ""
    ran: bool = False


def end_of(container: Container, when: float) -> End | None:
    """The end of a container that has one; ``when`` it ended is in seconds since the epoch."""
    creation, ending = container.creation, container.ending
    if creation is None or ending is None:
        return None
    short = replace(ending, sentence=ending.sentence[:TEXT_LIMIT])
    nodes = container.nodes[:TEXT_LIMIT]
    return End(creation.id, creation.created, when, short, container.job_id, nodes, container.ran)


def note(container: Container, when: float) -> None:
    """Keep how a container ended, if that can be written: an id of more than 251 characters is too long for that."""
    end = end_of(container, when)
    if end is None or container.creation is None:
        return
    data = json.dumps(to_plain(end)).encode()
    with contextlib.suppress(OSError):
        os.mkdir(f"{container.creation.root}/{DIRECTORY}", DIRECTORY_MODE)
    with contextlib.suppress(OSError), _opened(container.creation.root) as folder:
        _write(folder, f"~{container.creation.cookie}", f"{end.id}{_SUFFIX}", data)
        _forget(folder)


def names(root: str) -> list[str]:
    """The ids of all whose end is known."""
    try:
        with _opened(root) as folder:
            found = [name.removesuffix(_SUFFIX) for name in os.listdir(folder) if name.endswith(_SUFFIX)]
    except OSError:
        return []
    return [name for name in found if ID_ALPHABET.issuperset(name)]


def read(root: str, container_id: str) -> End | None:
    """How the last container of that id ended; None if that is not known, or not to be read."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        with _opened(root) as folder:
            descriptor = os.open(f"{container_id}{_SUFFIX}", flags, dir_fd=folder)
        try:
            return from_plain(End, json.loads(os.read(descriptor, _READ_LIMIT)))
        finally:
            os.close(descriptor)
    except (OSError, ValueError, RecursionError, ProtocolError):
        return None


@contextlib.contextmanager
def _opened(root: str) -> Iterator[int]:
    """The directory, as a descriptor.

    Raises:
        OSError: it is not there, or is not of the owner of the state directory.

    """
    folder = os.open(f"{root}/{DIRECTORY}", os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(folder).st_uid != os.stat(root).st_uid:
            raise PermissionError
        yield folder
    finally:
        os.close(folder)


def _write(folder: int, temporary: str, name: str, data: bytes) -> None:
    """Write a file under a name that no other container's writer has, and rename it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with open(os.open(temporary, flags, 0o600, dir_fd=folder), "wb") as file:
            file.write(data)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _forget(folder: int) -> None:
    """Remove the oldest, what a killed writer left among them, until there are no more than ``LIMIT``."""
    there = os.listdir(folder)
    if len(there) <= LIMIT:
        return
    for name in sorted(there, key=lambda name: _age(folder, name))[: len(there) - LIMIT]:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _age(folder: int, name: str) -> tuple[int, str]:
    """What sorts the oldest first; what has gone meanwhile comes before all."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return 0, name
    return (status.st_mtime_ns if stat.S_ISREG(status.st_mode) else 0), name
