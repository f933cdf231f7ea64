"""What somebody at a terminal sees while ``start`` waits: why it does, on one line that goes away.

podman gives its own standard error to ``start``, so that of ``podman run`` is the user's terminal. On the path of a hot
verb: imports nothing more as long as nobody has waited for a second.
"""

import os
import time

from proto.errors import ScrunError
from scrun.box.box import Box, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Clock = Callable[[], float]

PATIENCE = 1.0
"""Seconds of waiting about which nothing is said."""
AGAIN = 0.5
"""Seconds after which it is looked again."""
_ERASE = "\r\x1b[K"


class Waiting:
    """Call it now and then; at the end ``close`` takes the line away.

    Args:
        container: that is waited for.
        terminal: descriptor of the terminal.
        clock: in seconds.

    """

    def __init__(self, container: Box, terminal: int, clock: "Clock" = time.monotonic) -> None:
        self._container = container
        self._terminal = terminal
        self._clock = clock
        self._next = clock() + PATIENCE
        self._shown = ""

    def __call__(self) -> None:
        """Show the line if it is time."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + AGAIN
        paths = self._container.paths
        try:
            text = find(paths.root, paths.id).file.text
            line = sentence(text)[: os.get_terminal_size(self._terminal).columns - 1]
        except (ScrunError, OSError):
            return
        if line != self._shown:
            self._write(f"{_ERASE}{line}")
            self._shown = line

    def close(self) -> None:
        """Take the line away."""
        if self._shown:
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        try:
            os.write(self._terminal, text.encode(errors="backslashreplace"))
        except OSError:
            pass  # a terminal that has hung up


def sentence(text: bytes) -> str:
    """Why a container is not running yet, by its ``state.json``; nothing if there is nothing to say."""
    import json

    state = json.loads(text)
    known = state["annotations"]
    job = f"scrun: job {known.get('scrun.job-id', '')}"
    match state["scrun"]["phase"]:
        case "requested":
            return "scrun: asking Slurm for a job"
        case "queued":
            reason = known.get("scrun.job-reason", "")
            return f"{job} is queued{reason and f' ({reason})'}"
        case "staging in":
            how_far = known.get("scrun.staging", "")
            return f"{job}: copying the image for its nodes{how_far and f': {how_far}'}"
        case "launching":
            return f"{job}: starting the container on {known.get('scrun.nodes', '')}"
    return ""
