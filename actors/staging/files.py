"""Files and directories of what is staged: whole or not at all, and with the modes that were meant."""

import os
import stat


def write_file(path: str, content: bytes, mode: int) -> None:
    """Write a file under another name and rename it."""
    temporary = f"{path}.new"
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
        os.fchmod(file.fileno(), mode)
    os.replace(temporary, path)


def make_directory(path: str, mode: int) -> None:
    """Make a directory with this mode, whatever the caller's umask."""
    os.mkdir(path, 0o700)
    open_to(path, mode)


def open_to(path: str, mode: int) -> None:
    """Add rights to a directory that is there; none is taken away."""
    has = stat.S_IMODE(os.stat(path).st_mode)
    if mode & ~has:
        os.chmod(path, has | mode)
