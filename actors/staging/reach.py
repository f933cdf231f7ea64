"""Who reaches what is staged: root of a node, who is nobody on many network file systems; and owners kept there.

slurmstepd opens a bundle's config.json as root, before it becomes the user (seen with 22.05 and 24.11). On an NFS
export with ``root_squash``, which is the default of exports(5), root is nobody: every directory on the way must let
others through (mode 0711), and config.json must be readable for others. But it has the user's group by then (seen with
22.05: a directory of that group and mode 0701 is a wall). All the rest is the runtime's affair, and that runs as the
user.

Such file systems also refuse chown(2) to whoever is not root, so that all files belong to the user.
"""

import os
import stat

from proto.errors import StagingError
from proto.host.paths import above_it
from proto.life.settings import RootSquash, Settings

from .filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system

MEND = (
    "open it (chmod go+x), or set directory of [staging] in scrun.toml to a place below open directories; if root is "
    'not squashed there, set root_squash = "no"'
)


def place_of(settings: Settings, home: str) -> str:
    """Path of the directory for staged containers of a user with this home."""
    return settings.staging.directory or os.path.join(home, ".scrun")


def check(settings: Settings, home: str, *, tells: bool) -> None:
    """Refuse a container that the nodes could not take, before a job is asked for.

    Args:
        settings: the site's and the user's.
        home: the user's home directory.
        tells: whether config.json has something in it that not everybody may read.

    Raises:
        StagingError: there is a wall in the way to the staging directory, or config.json would tell too much.

    """
    path = place_of(settings, home)
    table = current_mounts()
    if not is_squashed(path, table, settings.staging.root_squash):
        return
    if sentence := wall(path, table, settings.staging.root_squash):
        raise StagingError(sentence)
    if tells or not settings.scrun.entry:
        what = "a hook's environment" if tells else "the container's environment, since entry = false in scrun.toml,"
        raise StagingError(
            f"{what} would be readable for everybody in {path}, where root of the nodes is nobody; "
            "set directory of [staging] to another file system, or root_squash if root is somebody there"
        )


def is_squashed(path: str, table: dict[str, str], setting: RootSquash) -> bool:
    """Whether root of a node must be taken for nobody where this path is.

    A client is not told how a directory was exported to another client, so a network file system is taken for one that
    squashes root unless the site says otherwise.

    Args:
        path: of a file or directory, which need not be there yet.
        table: the mounts of this host (``filesystem.current_mounts``).
        setting: ``[staging] root_squash``.

    """
    if setting == "auto":
        return file_system(path, table) in NETWORK_FILE_SYSTEMS
    return setting == "yes"


def wall(path: str, table: dict[str, str], setting: RootSquash) -> str:
    """What keeps root of a node from what is staged in a directory: one sentence, or nothing if the way is open.

    Args:
        path: the staging directory, absolute. It and what is made below it are opened by whoever stages; the
            directories above it are not ours to open.
        table: see ``is_squashed``.
        setting: see ``is_squashed``.

    """
    if not is_squashed(path, table, setting):
        return ""
    groups = {os.getgid(), *os.getgroups()}
    above = [(each, status) for each in above_it(os.path.realpath(path)) if (status := _status(each))]
    for each, status in above:
        # With "yes" it is the staging directory's file system that is meant; on a disk of the node's own root is root.
        there = status.st_dev == above[0][1].st_dev if setting == "yes" else is_squashed(each, table, setting)
        needed = stat.S_IXOTH | (stat.S_IXGRP if status.st_gid in groups else 0)
        if there and status.st_mode & needed != needed:
            kind = file_system(each, table) or "its file system"
            return (
                f"Slurm's daemons on the nodes cannot go through {each} (mode {stat.S_IMODE(status.st_mode):04o}) to "
                f"what is staged in {path}, since root is nobody on {kind}; {MEND}"
            )
    return ""


def _status(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None  # not there yet: it will be made open


def keeps_owners(directory: str) -> bool:
    """Whether files in a directory can be given to another of this process's user ids; found out by trying.

    Where there is no other id, as for an ordinary user outside of an engine's user namespace, it cannot be done either.
    """
    path = os.path.join(directory, f".owner~{os.urandom(4).hex()}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.unlink(path)
        os.fchown(descriptor, 1, 1)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
