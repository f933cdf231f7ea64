"""Gives a file the contents and the mode of another one without putting another file in its place.

A single file that was mounted may be mounted elsewhere, too, or be open: it has to stay the same inode.
"""

import errno
import os
import stat

_PIECE = 1 << 20
_BLOCK = 512


def write_into(copy: str, original: str, flags: int = 0) -> None:
    """Write what is in a copy into the original.

    What is longer goes last, so that a full file system costs no more than it must; but where the copy has holes, the
    original is emptied first, since a hole can be made in no other way.

    Args:
        copy: path of a regular file.
        original: path to write to.
        flags: for opening the original.

    Raises:
        OSError: it could not be done, or not all of it.

    """
    ours = os.open(copy, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(ours)
        mode = stat.S_IMODE(status.st_mode)
        theirs = os.open(original, os.O_WRONLY | os.O_CLOEXEC | flags, mode)
        try:
            if status.st_blocks * _BLOCK < status.st_size:
                os.ftruncate(theirs, 0)
            _write_data(ours, theirs, status.st_size)
            os.ftruncate(theirs, status.st_size)
            if stat.S_IMODE(os.fstat(theirs).st_mode) != mode:
                os.fchmod(theirs, mode)
        finally:
            os.close(theirs)
    finally:
        os.close(ours)


def _write_data(ours: int, theirs: int, size: int) -> None:
    """Write all that is no hole."""
    here = 0
    while here < size:
        try:
            here = os.lseek(ours, here, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # nothing but a hole is left
            raise
        end = os.lseek(ours, here, os.SEEK_HOLE)
        while here < end and (piece := os.pread(ours, min(_PIECE, end - here), here)):
            here += os.pwrite(theirs, piece, here)
