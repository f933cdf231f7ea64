"""The pid file: digits and nothing else, for engines parse it strictly; there at once or not at all."""

import os

from proto.errors import SettingsError, reason


def write(path: str, pid: int) -> None:
    """Write the file under a temporary name and rename it.

    Raises:
        SettingsError: it cannot be written.

    """
    temporary = f"{os.path.dirname(path)}/.{os.path.basename(path)}.{os.getpid()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        try:
            os.write(descriptor, str(pid).encode())
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except OSError as error:
        remove(temporary)
        raise SettingsError(f"the pid file {path} cannot be written: {reason(error)}") from None


def remove(path: str) -> None:
    """Remove the file if it is there."""
    try:
        os.unlink(path)
    except OSError:
        pass
