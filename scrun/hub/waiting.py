"""What somebody at a terminal sees while ``start`` waits: why it does, on one line that goes away.

podman gives its own standard error to ``start``, so that of ``podman run`` is the user's terminal. What the container's
own files do not know, the place in the queue and whether nodes boot, Slurm is asked for. On the path of a hot verb:
imports nothing more as long as nobody has waited for a second.
"""

import os
import time

from proto.errors import ScrunError
from scrun.box.box import Box, find
from scrun.report.lines import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from actors.slurm.scheduler import Outlook
    from scrun.why.watch import Watch

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
        self._watch: Watch | None = None

    def __call__(self) -> None:
        """Show the line if it is time."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + AGAIN
        paths = self._container.paths
        try:
            text = find(paths.root, paths.id).file.text
            line = one_line(self._line(text))[: os.get_terminal_size(self._terminal).columns - 1]
        except (ScrunError, OSError):
            return
        if line != self._shown:
            self._write(f"{_ERASE}{line}")
            self._shown = line

    def _line(self, text: bytes) -> str:
        import json

        state = json.loads(text)
        if self._watch is None:
            from scrun.packages import use_packages

            use_packages()
            from scrun.why.watch import Watch

            self._watch = Watch(self._container, self._clock)
        return sentence(state, self._watch.look(state["scrun"]["phase"]), time.time())

    def close(self) -> None:
        """Take the line away."""
        if self._watch is not None:
            self._watch.close()
        if self._shown:
            self._write(_ERASE)

    def _write(self, text: str) -> None:
        try:
            os.write(self._terminal, text.encode(errors="backslashreplace"))
        except OSError:
            pass  # a terminal that has hung up


def sentence(state: "dict[str, Any]", outlook: "Outlook | None", now: float) -> str:
    """Why a container is not running yet; nothing if there is nothing to say.

    Args:
        state: its ``state.json``.
        outlook: what Slurm has said of its job, perhaps a while ago.
        now: seconds since the epoch.

    """
    from scrun.why.paragraph import is_booting, place

    known = state["annotations"]
    job = f"scrun: job {known.get('scrun.job-id', '')}"
    copied, nodes = known.get("scrun.staging", ""), known.get("scrun.nodes", "")
    match state["scrun"]["phase"]:
        case "requested":
            return "scrun: asking Slurm for a job"
        case "queued":
            reason = (outlook and outlook.reason) or known.get("scrun.job-reason", "")
            where = place(outlook, now) if outlook else ""
            return f"{job} is queued{reason and f' ({reason})'}{where and f': {where}'}"
        case "staging in" | "launching" if is_booting(outlook) and not copied:
            return f"{job}: its nodes are booting"
        case "staging in":
            return f"{job}: copying the image for its nodes{copied and f': {copied}'}"
        case "launching":
            return f"{job}: starting the container{nodes and f' on {nodes}'}"
    return ""
