"""Owner, mode, time and extended attributes of an entry, by the descriptor of its directory; no link is followed.

Carried are the extended attributes that a program in a container can set: ``user.*``, POSIX ACLs and file capabilities.
All others belong to a file system or to the host: labels of SELinux, ``trusted.*`` (Lustre, Gluster and overlay keep
their own things there), ACLs of NFS, and ``user.overlay.*``, which is an overlay's own without privileges.
"""

import errno
import os
import stat
from collections.abc import Callable, Mapping
from typing import TypeVar

from proto.errors import reason
from proto.value import Value

T = TypeVar("T")
_CARRIED = frozenset(("security.capability", "system.posix_acl_access", "system.posix_acl_default"))
_OVERLAY = "user.overlay."
# EOVERFLOW: a capability of a user namespace that has no name in this one.
_NONE = frozenset((errno.ENODATA, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EOVERFLOW))
_REFUSED = _NONE | {errno.EACCES, errno.ENOSYS, errno.ERANGE, errno.E2BIG}
_SET_ID = stat.S_ISUID | stat.S_ISGID


class Attributes(Value):
    """What an entry has beside its contents.

    Attributes:
        mode: kind and rights, as in ``st_mode``.
        uid, gid: its owners, as this process sees them.
        mtime: nanoseconds since the epoch.
        xattrs: extended attributes, of those that are carried.

    """

    mode: int
    uid: int
    gid: int
    mtime: int
    xattrs: Mapping[str, bytes]


def is_carried(xattr: str) -> bool:
    """Whether an extended attribute is one that a program in a container sets."""
    return (xattr.startswith("user.") and not xattr.startswith(_OVERLAY)) or xattr in _CARRIED


def read_attributes(at: int, name: str, status: os.stat_result) -> Attributes:
    """Look at an entry.

    Args:
        at: descriptor of its directory.
        name: its name there, or ``.``.
        status: its status.

    Raises:
        OSError: its extended attributes cannot be read; its owner may lack the right.

    """
    return Attributes(status.st_mode, status.st_uid, status.st_gid, status.st_mtime_ns, read_xattrs(at, name))


def read_xattrs(at: int, name: str) -> dict[str, bytes]:
    """Read the extended attributes of an entry that are carried; none, where the file system has none."""
    path = f"/proc/self/fd/{at}/{name}"  # these calls take no descriptor of a directory
    found = {}
    for xattr in _ask(os.listxattr, path) or ():
        if is_carried(xattr) and (value := _ask(os.getxattr, path, xattr)) is not None:
            found[xattr] = value
    return found


def _ask(call: Callable[..., T], *words: str) -> T | None:
    try:
        return call(*words, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _NONE:
            raise
        return None


def same_attributes(one: Attributes, other: Attributes) -> bool:
    """Whether two entries of the same kind need not be told apart."""
    return _facts(one) == _facts(other)


def _facts(one: Attributes) -> tuple[object, ...]:
    mode = 0 if stat.S_ISLNK(one.mode) else stat.S_IMODE(one.mode)  # that of a link is nobody's
    return mode, one.uid, one.gid, one.mtime, dict(one.xattrs)


def set_attributes(at: int, name: str, wanted: Attributes) -> tuple[bool, list[str]]:
    """Give an entry its attributes; what is right already is not touched.

    Returns:
        Whether something was changed; and what the file system, or this process's lack of rights, refused.

    Raises:
        OSError: for another reason, as a full disk.

    """
    status = os.stat(name, dir_fd=at, follow_symlinks=False)
    refused: list[str] = []
    changed = False
    owned = True
    if (status.st_uid, status.st_gid) != (wanted.uid, wanted.gid):
        try:
            os.chown(name, wanted.uid, wanted.gid, dir_fd=at, follow_symlinks=False)
            changed = True
        except OSError as error:
            owned = _note(error, f"owner {wanted.uid}:{wanted.gid}", refused)
    changed |= _set_xattrs(at, name, wanted.xattrs, status, refused)
    if status.st_mtime_ns != wanted.mtime:
        os.utime(name, ns=(status.st_atime_ns, wanted.mtime), dir_fd=at, follow_symlinks=False)
        changed = True
    if not stat.S_ISLNK(status.st_mode):
        # Looked at anew: a new owner takes set-id bits and capabilities away, an ACL has rights of its own. And last:
        # a directory that is closed to this process by it has no name "." any more.
        present = stat.S_IMODE(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
        mode = stat.S_IMODE(wanted.mode)
        if not owned and not stat.S_ISDIR(status.st_mode):
            mode &= ~_SET_ID  # it would let everybody become somebody else than was meant
        if present != mode:
            _chmod(at, name, mode)
            changed = True
    return changed, refused


def _note(error: OSError, what: str, refused: list[str]) -> bool:
    if error.errno not in _REFUSED:
        raise error
    refused.append(f"{what}: {reason(error)}")
    return False


def _set_xattrs(at: int, name: str, wanted: Mapping[str, bytes], status: os.stat_result, refused: list[str]) -> bool:
    try:
        present = read_xattrs(at, name)
    except PermissionError:
        present = {}
    path = f"/proc/self/fd/{at}/{name}"
    changed = False
    for xattr in sorted(present.keys() | wanted.keys()):
        if present.get(xattr) == wanted.get(xattr):
            continue
        try:
            _set_xattr(path, xattr, wanted.get(xattr))
            changed = True
        except PermissionError as error:
            mode = stat.S_IMODE(status.st_mode)
            if stat.S_ISLNK(status.st_mode) or mode & 0o600 == 0o600:
                _note(error, xattr, refused)
                continue
            try:
                _chmod(at, name, mode | 0o600)  # the right to write is wanted, which even its owner may lack
                _set_xattr(path, xattr, wanted.get(xattr))
                changed = True
            except OSError as again:
                _note(again, xattr, refused)
        except OSError as error:
            _note(error, xattr, refused)
    return changed


def _set_xattr(path: str, xattr: str, value: bytes | None) -> None:
    if value is None:
        os.removexattr(path, xattr, follow_symlinks=False)
    else:
        os.setxattr(path, xattr, value, follow_symlinks=False)


def _chmod(at: int, name: str, mode: int) -> None:
    # chmod(2) follows links, and fchmodat(2) has no way not to before Linux 6.6.
    handle = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
    try:
        os.chmod(f"/proc/self/fd/{handle}", mode)
    finally:
        os.close(handle)
