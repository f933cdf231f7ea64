"""/dev/null, which is handed on as what it is. On the way of ``exec``."""

import os
import stat

NULL_DEVICE = os.makedev(1, 3)


def is_null(fd: int) -> bool:
    """Whether a descriptor is /dev/null.

    Raises:
        OSError: it is not open.

    """
    status = os.fstat(fd)
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == NULL_DEVICE
