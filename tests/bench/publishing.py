"""What a message on the tap costs the state actor: prints milliseconds as JSON. ``publishing.py CHECKOUT TIMES``.

A program of its own, as the bench has no part of scrun on its path.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from actors.state.tap import Tap

COUNT = 100_000


def listen_for_ever(path: str) -> None:
    """Be a listener that reads what it hears."""
    import zmq

    sock = zmq.Context().socket(zmq.SUB)
    sock.subscribe("")
    sock.connect(f"ipc://{path}")
    while True:
        sock.recv_multipart()


def milliseconds(tap: Tap) -> float:
    """Of a processor, for publishing so many of the commonest message."""
    from proto.life.intents import LaunchStep

    message = LaunchStep(1, "/bundle", (b"program",))
    begin = time.process_time()
    for _ in range(COUNT):
        tap.publish("intent", "allocation", message)
    return (time.process_time() - begin) * 1000


def main(checkout: str, times: int) -> None:
    """Measure without a listener, then with one."""
    sys.path.insert(0, checkout)
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/tap"
        child = os.fork()
        if not child:
            listen_for_ever(path)
        try:
            import zmq

            from actors.anchor.descriptors import listen
            from actors.state.tap import Tap

            context = zmq.Context()
            # The listener finds its socket by itself, but not before this one reads subscriptions.
            tap = Tap(context, listen(path), path, "x", 1, dict)
            nobody = [milliseconds(tap) for _ in range(times)]
            tap.socket.poll()
            tap.subscriptions()
            somebody = [milliseconds(tap) for _ in range(times)]
            tap.close()
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    print(json.dumps({"nobody": nobody, "somebody": somebody}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
