"""Bytes of regular files, from descriptor to descriptor; what is a hole stays a hole.

Where the file system can, blocks are shared (FICLONE) or copied by it or its server (copy_file_range).
"""

import errno
import fcntl
import os
from collections.abc import Iterator

_FICLONE = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)
_CHUNK = 1 << 20
_BLOCK = 4096
_ZEROS = bytes(_BLOCK)
_SECTOR = 512  # the unit of st_blocks


def copy_contents(source: int, target: int) -> None:
    """Fill an empty file with the contents of another one.

    Raises:
        OSError: it cannot be read, or there is no room.

    """
    status = os.fstat(source)
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        sparse = status.st_blocks * _SECTOR < status.st_size
        for start, length in data_ranges(source, status.st_size):
            # A file system that does not tell its holes (NFS before 4.2) is read, and zeros are left out.
            told = not sparse or length < status.st_size
            copy_range(source, start, target, start, length, zeros=told)
    os.ftruncate(target, status.st_size)


def copy_range(source: int, source_at: int, target: int, target_at: int, length: int, *, zeros: bool = True) -> None:
    """Copy a part of a file into another one.

    Args:
        source: what is read.
        source_at: from which offset.
        target: what is written.
        target_at: to which offset.
        length: bytes.
        zeros: whether blocks of zeros are written, too; if not, there must be nothing in their place yet.

    Raises:
        OSError: it cannot be read or ends too early, or there is no room.

    """
    while zeros and length:
        try:
            count = os.copy_file_range(source, target, length, source_at, target_at)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}:
                raise
            break  # between these two file systems there is no such call
        if not count:
            break
        source_at, target_at, length = source_at + count, target_at + count, length - count
    while length:
        piece = os.pread(source, min(length, _CHUNK), source_at)
        if not piece:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        _write(target, target_at, piece, zeros=zeros)
        source_at, target_at, length = source_at + len(piece), target_at + len(piece), length - len(piece)


def _write(target: int, at: int, piece: bytes, *, zeros: bool) -> None:
    step = len(piece) if zeros else _BLOCK
    for start in range(0, len(piece), step):
        block = memoryview(piece)[start : start + step]
        if not zeros and block == _ZEROS[: len(block)]:
            continue
        done = 0
        while done < len(block):
            done += os.pwrite(target, block[done:], at + start + done)


def data_ranges(fd: int, size: int) -> Iterator[tuple[int, int]]:
    """Where a file has data: offsets and lengths, in order; all of it, where the file system does not tell."""
    at = 0
    while at < size:
        start, end = _data_from(fd, at, size)
        if start < end:
            yield start, end - start
        at = end


def same_contents(one: int, other: int, size: int) -> bool:
    """Whether two files of the same size have the same contents; holes in both are not read."""
    at = 0
    known = [(0, 0), (0, 0)]  # the range of data in each that is at hand, or before it
    while at < size:
        for index, fd in enumerate((one, other)):
            if known[index][1] <= at:
                known[index] = _data_from(fd, at, size)
        at = max(at, min(start for start, _ in known))
        length = min(_CHUNK, size - at)
        if os.pread(one, length, at) != os.pread(other, length, at):
            return False
        at += length
    return True


def _data_from(fd: int, at: int, size: int) -> tuple[int, int]:
    """The first range of data that ends behind an offset: its start and end, both the size if there is none."""
    try:
        start = os.lseek(fd, at, os.SEEK_DATA)
        return min(start, size), min(os.lseek(fd, start, os.SEEK_HOLE), size)
    except OSError as error:
        return (size, size) if error.errno == errno.ENXIO else (at, size)
