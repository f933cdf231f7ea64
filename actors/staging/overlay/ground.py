"""The container's root directory itself: top directories to mount on, and the few files and links beside them.

It lies in the bundle, so what a program makes directly in ``/`` goes to the shared file system.
"""

import os
import stat

from .mount_points import imitate


def lay_ground(root: str, ground: str, *, owners: bool) -> None:
    """Make the container's root directory.

    Args:
        root: the root file system on this host.
        ground: the directory to make.
        owners: whether files can have their owners there.

    """
    os.mkdir(ground, 0o700)
    with os.scandir(root) as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            _lay(entry, f"{ground}/{entry.name}", owners=owners)
    imitate(root, ground, owners=owners)
    if not owners:
        # The container's root is no root on a network file system: the runtime has to make mount points here.
        os.chmod(ground, stat.S_IMODE(os.lstat(ground).st_mode) | 0o700)


def _lay(entry: "os.DirEntry[str]", target: str, *, owners: bool) -> None:
    status = entry.stat(follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        os.mkdir(target, 0o700)
        imitate(entry.path, target, owners=owners)
        return
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(entry.path), target)
        return
    if stat.S_ISREG(status.st_mode):
        import shutil  # hardly an image has a file there

        try:
            shutil.copy2(entry.path, target, follow_symlinks=False)
        except PermissionError:
            return  # what this user may not read is not missed
    elif stat.S_ISFIFO(status.st_mode):
        os.mkfifo(target)
    else:
        return
    if owners:
        os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, stat.S_IMODE(status.st_mode))
