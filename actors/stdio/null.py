"""/dev/null as a standard stream, which is handed on as what it is. On the way of ``exec``."""

import fcntl
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


def mend() -> None:
    """Put /dev/null in the place of a standard stream that is open the wrong way, as the wrong end of a pipe.

    The same of what is no stream, as an epoll descriptor. The program finds no input then, or its output is lost;
    neither splice(2) nor srun can do anything with such a one.
    """
    for number, way in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        flags = fcntl.fcntl(number, fcntl.F_GETFL)
        wrong = flags & os.O_ACCMODE not in {way, os.O_RDWR} or flags & os.O_PATH
        if wrong or not stat.S_IFMT(os.fstat(number).st_mode):
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            os.dup2(null, number)
            os.close(null)
