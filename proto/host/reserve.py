"""Room on a file system for what is not written yet.

``posix_fallocate``, which the standard library has, makes the file longer: a journal would end in zeros, and a log
that others append to would begin with them. The kernel can reserve beyond a file's end (``FALLOC_FL_KEEP_SIZE``),
and has a second door to that: an ioctl that came from XFS and that every file system understands which can reserve
at all (tmpfs, ext4, xfs, btrfs; not ext2, ext3, or NFS before 4.2).
"""

import errno
import fcntl
import os
import struct

_RESERVE = 0x40305828
"""``FS_IOC_RESVSP`` of linux/falloc.h: ``_IOW('X', 40, struct space_resv)``."""
_REQUEST = struct.Struct("=hh4xqqiI16x")
_EXCHANGE = 2
"""``RENAME_EXCHANGE`` of linux/fs.h."""
_HERE = -100
"""``AT_FDCWD`` of linux/fcntl.h."""
_CANNOT = frozenset({errno.ENOTTY, errno.EOPNOTSUPP, errno.ENOSYS})


def reserve(fd: int, start: int, size: int) -> None:
    """Reserve room for ``size`` bytes from ``start`` on; the file's size and contents stay.

    Where the file system cannot do that, nothing happens.

    Raises:
        OSError: there is no room.

    """
    try:
        fcntl.ioctl(fd, _RESERVE, _REQUEST.pack(0, os.SEEK_SET, start, size, 0, 0))
    except OSError as error:
        if error.errno not in _CANNOT:
            raise


def exchange(path: str, other: str) -> bool:
    """Let two files change names in one moment, so that neither gives its room back (rename(2), ``RENAME_EXCHANGE``).

    Returns:
        Whether that was done: there are file systems that cannot do it (NFS).

    """
    import ctypes  # 1.7 ms, which ``create`` must not spend before the job is asked for

    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and not rename(_HERE, os.fsencode(path), _HERE, os.fsencode(other), _EXCHANGE)
