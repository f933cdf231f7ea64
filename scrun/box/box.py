"""What can be known of a container without asking anybody: its state file and whether its anchor lives.

On the path of the hot verbs: ``os`` only.
"""

import os
import time

from proto.errors import InternalError, NotFoundError, reason
from proto.host.paths import ContainerPaths
from proto.life.state_file import StateFile

SIZE_LIMIT = 4 << 20
ABANDONED = "abandoned"
"""For people the phase of a container whose anchor has gone, and whose end nobody has recorded yet."""


class Box:
    """A container as its ``state.json`` tells of it."""

    __slots__ = ("file", "paths")

    def __init__(self, paths: ContainerPaths, text: bytes) -> None:
        self.paths = paths
        self.file = StateFile(text)
        if not self.file.status:
            raise InternalError(f"the state file of container {paths.id} cannot be read; delete it with --force")

    @property
    def anchor(self) -> int:
        """Pid of the anchor, if that lives."""
        return self.file.anchor

    @property
    def recorded(self) -> str:
        """The status in the file."""
        return self.file.status

    def alive(self) -> bool:
        """Whether the anchor lives."""
        return self.file.anchor_lives()

    @property
    def status(self) -> str:
        """The status in force: a container without its anchor has stopped, whatever was recorded."""
        return self.recorded if self.recorded == "stopped" or self.alive() else "stopped"

    def state(self) -> bytes:
        """What ``scrun state`` prints."""
        return self.file.text if self.status == self.recorded else self.file.as_stopped()

    def kill_anchor(self, signal: int) -> None:
        """Send the anchor a signal, if it is still the anchor."""
        if self.alive():
            try:
                os.kill(self.anchor, signal)
            except ProcessLookupError:
                pass

    def wait_gone(self, seconds: float) -> bool:
        """Wait until the anchor has ended; False if it has not."""
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.005)
        return True


def find(root: str, container_id: str) -> Box:
    """Read a container's state file.

    Raises:
        NotFoundError: there is no such container (or none yet).
        InternalError: the file cannot be read.

    """
    paths = ContainerPaths(root, container_id)
    try:
        # (a pipe in its place, whoever made it, would keep every "create" beside it waiting)
        descriptor = os.open(paths.state, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        raise NotFoundError(f"container {container_id} does not exist") from None
    except OSError as error:
        raise InternalError(f"the state file of container {container_id} cannot be read: {reason(error)}") from None
    try:
        text = b""
        while len(text) < SIZE_LIMIT and (part := os.read(descriptor, 1 << 16)):
            text += part
    finally:
        os.close(descriptor)
    return Box(paths, text)
