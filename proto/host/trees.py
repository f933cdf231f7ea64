"""Removal of a file or a whole tree. On the path of ``delete``: imports ``os`` only."""

import os

_FLAGS = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 100
"""A cp whose parent was killed may still be writing into a directory."""


def remove_tree(path: str, at: int | None = None) -> OSError | None:
    """Remove a file or a directory with all that is in it, also where its owner may not write; what cannot go stays.

    No link is followed, not even one that is put in place meanwhile.

    Args:
        path: what to remove; it need not be there.
        at: descriptor of the directory that the path begins in.

    Returns:
        Why the first thing that is left could not be removed; its ``filename`` is the path.

    """
    try:
        os.unlink(path, dir_fd=at)
    except FileNotFoundError:
        return None
    except IsADirectoryError:
        pass
    except OSError as error:
        return OSError(error.errno, error.strerror, path)
    else:
        return None
    try:
        found = _empty(path, at)
        if found is None:
            os.rmdir(path, dir_fd=at)
    except OSError as error:
        return OSError(error.errno, error.strerror, path)
    return found


def _empty(path: str, at: int | None) -> OSError | None:
    directory = _open(path, at)
    try:
        for _ in range(_ATTEMPTS):
            names = os.listdir(directory)
            failures = [error for name in names if (error := remove_tree(name, directory)) is not None]
            if failures:
                return OSError(failures[0].errno, failures[0].strerror, f"{path}/{failures[0].filename}")
            if not names:
                break
    finally:
        os.close(directory)
    return None


def _open(path: str, at: int | None) -> int:
    """A directory to read and to write in, whatever its mode was."""
    handle = os.open(path, os.O_PATH | _FLAGS, dir_fd=at)
    try:
        if os.fstat(handle).st_mode & 0o700 != 0o700:
            os.chmod(f"/proc/self/fd/{handle}", 0o700)
        return os.open(".", os.O_RDONLY | _FLAGS, dir_fd=handle)
    finally:
        os.close(handle)
