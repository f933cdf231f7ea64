"""The guard: the one process that survives SIGKILL of the anchor, and clears up after it.

It is forked first, lives in a session of its own, imports nothing until it is needed, and holds the
container's lock as long as something is left to do.
"""

import socket

from proto.creation import Creation

OVER = b"O"
"""From the anchor: the container has ended in order; there is nothing to do."""
HAND_OVER = b"H"
"""From the anchor: I must exit now (the engine does not wait); go on cancelling."""


def watch(sock: socket.socket, creation: Creation, anchor: int) -> int:
    """Wait for the anchor's word or its death; return the guard's exit status."""
    word = b""
    while data := _receive(sock):
        word = data
    if word == OVER:
        return 0
    from actors.clean_up import clean_up

    clean_up(creation, anchor)
    return 0


def _receive(sock: socket.socket) -> bytes:
    try:
        return sock.recv(1)
    except ConnectionError:
        return b""

