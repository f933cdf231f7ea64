"""Removal of a file or a whole tree. On the path of ``delete``: imports ``os`` only."""

import os

_FLAGS = os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 100
"""Whoever copied and lost its parent may still be writing into a directory."""
_DEEPEST = 64
"""Levels that are gone down; each is a descriptor and a call of ours. What is deeper is brought up first."""


def remove_tree(path: str, at: int | None = None) -> OSError | None:
    """Remove a file or a directory with all that is in it, also where its owner may not write; what cannot go stays.

    No link is followed, not even one that is put in place meanwhile.

    Args:
        path: what to remove; it need not be there.
        at: descriptor of the directory that the path begins in.

    Returns:
        Why the first thing that is left could not be removed; its ``filename`` is the path.

    """
    return _remove(path, at, ())


def _remove(path: str, at: int | None, above: tuple[int, ...]) -> OSError | None:
    """Remove what is in the last of some directories, one in another."""
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
        if len(above) > _DEEPEST:
            os.close(_open(path, at))  # only a directory that may be written gets another place
            os.rename(path, f".{os.urandom(8).hex()}", src_dir_fd=at, dst_dir_fd=above[0])
            return None
        found = _empty(path, at, above)
        if found is None:
            os.rmdir(path, dir_fd=at)
    except OSError as error:
        return OSError(error.errno, error.strerror, path)
    return found


def _empty(path: str, at: int | None, above: tuple[int, ...]) -> OSError | None:
    directory = _open(path, at)
    try:
        for _ in range(_ATTEMPTS):
            names = os.listdir(directory)
            results = (_remove(name, directory, (*above, directory)) for name in names)
            failures = [error for error in results if error is not None]
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
