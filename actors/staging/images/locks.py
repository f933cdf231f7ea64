"""Locks that are files, and go with whoever used them last.

A lock file is removed under its own lock. Who has waited for it meanwhile has then locked a file without a name, sees
that, and begins anew.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

END = ".lock"


@contextmanager
def locked(path: str) -> Iterator[int]:
    """Hold a lock; its descriptor may be given to others, and then it lasts until all of them have gone."""
    descriptor = _take(path, wait=True)
    try:
        yield descriptor
    finally:
        _leave(path, descriptor)


@contextmanager
def locked_if_free(path: str) -> Iterator[bool]:
    """Hold a lock unless somebody has it; whether it is held."""
    descriptor = _take(path, wait=False)
    try:
        yield descriptor >= 0
    finally:
        if descriptor >= 0:
            _leave(path, descriptor)


def _take(path: str, *, wait: bool) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(path, descriptor):
                return descriptor
        except OSError as error:
            if wait or error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                os.close(descriptor)
                raise
            os.close(descriptor)
            return -1
        os.close(descriptor)


def _leave(path: str, descriptor: int) -> None:
    try:
        if _is_there(path, descriptor):
            os.unlink(path)
    finally:
        os.close(descriptor)


def _is_there(path: str, descriptor: int) -> bool:
    ours = os.fstat(descriptor)
    try:
        named = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (ours.st_dev, ours.st_ino) == (named.st_dev, named.st_ino)
