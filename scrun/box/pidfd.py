"""``--pidfd-socket``: a descriptor of the anchor for whoever called ``create``, as runc sends one since 1.2."""

import os
import socket

from proto.errors import SettingsError, reason

WAIT = 10.0


def send(path: str, pid: int) -> None:
    """Connect to the socket and send a pidfd of the process.

    Raises:
        SettingsError: the caller does not take it, or there is none to send.

    """
    try:
        handle = os.pidfd_open(pid)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
                sock.settimeout(WAIT)
                sock.connect(path)
                # runc's message: the name of what the descriptor is.
                socket.send_fds(sock, [b"pidfd"], [handle])
        finally:
            os.close(handle)
    except OSError as error:
        raise SettingsError(f"the pidfd socket {path} cannot be used: {reason(error)}") from None
