"""What can be known of a container without asking anybody: its state file and whether its anchor lives.

``state.json`` has a fixed layout (``actors.state.statefile``), so that this needs no JSON parser. On the path of
the hot verbs: ``os`` only.
"""

import os
import time

from proto.errors import InternalError, NotFoundError, reason
from proto.machine import boot_id
from proto.paths import ContainerPaths

SIZE_LIMIT = 4 << 20
_LAST_KEY = b'\n  "scrun": {'


def start_time(pid: int) -> int:
    """Start time of a living process (field 22 of ``/proc/PID/stat``); 0 if it is gone or has ended."""
    try:
        descriptor = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0
    try:
        words = os.read(descriptor, 4096).rpartition(b")")[2].split()
    except OSError:
        return 0
    finally:
        os.close(descriptor)
    if len(words) < 20 or words[0] in {b"Z", b"X"}:
        return 0
    return int(words[19])


class Container:
    """A container's ``state.json`` as it was read.

    Attributes:
        text: the file.
        recorded: the status in it.
        anchor, born: pid and start time of the anchor.
        boot: the kernel's word for the time in which that holds; empty in files of earlier versions.

    """

    __slots__ = ("anchor", "boot", "born", "paths", "recorded", "text")

    def __init__(self, paths: ContainerPaths, text: bytes) -> None:
        self.paths = paths
        self.text = text
        head, found, tail = text.rpartition(_LAST_KEY)
        self.recorded = _value(head, b'\n  "status": ').strip(b'"').decode("ascii", "replace")
        # Within a JSON string a quote has a backslash before it, so these can only be the keys themselves.
        self.anchor = _number(tail, b'"anchor":')
        self.born = _number(tail, b'"starttime":')
        self.boot = _word(tail, b'"boot": "')
        # Who cleared up after an anchor that nobody knew any more has none to name.
        if not found or not self.recorded or not (self.anchor or self.recorded == "stopped"):
            raise InternalError(f"the state file of container {paths.id} cannot be read; delete it with --force")

    def alive(self) -> bool:
        """Whether the anchor lives.

        After the machine was started anew a process may have both its pid and its start time, which is counted from
        there: what a boot script starts has much the same ones each time.
        """
        return start_time(self.anchor) == self.born != 0 and self.boot in {"", boot_id()}

    @property
    def status(self) -> str:
        """The status in force: a container without its anchor has stopped, whatever was recorded."""
        return self.recorded if self.recorded == "stopped" or self.alive() else "stopped"

    def state(self) -> bytes:
        """What ``scrun state`` prints."""
        status = self.status
        if status == self.recorded:
            return self.text
        lines = self.text.split(b"\n")
        for index, line in enumerate(lines):
            if line.startswith(b'  "status": '):
                lines[index] = b'  "status": "stopped",'
            elif line.startswith(b'  "pid": '):
                lines[index] = b'  "pid": 0,'
        return b"\n".join(lines)

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


def find(root: str, container_id: str) -> Container:
    """Read a container's state file.

    Raises:
        NotFoundError: there is no such container (or none yet).
        InternalError: the file cannot be read.

    """
    paths = ContainerPaths(root, container_id)
    try:
        descriptor = os.open(paths.state, os.O_RDONLY | os.O_CLOEXEC)
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
    return Container(paths, text)


def _value(text: bytes, key: bytes) -> bytes:
    """The rest of a key's line, without the comma."""
    return text.partition(key)[2].partition(b"\n")[0].rstrip(b", ")


def _word(text: bytes, key: bytes) -> str:
    return text.partition(key)[2].partition(b'"')[0].decode("ascii", "replace")


def _number(text: bytes, key: bytes) -> int:
    digits = text.partition(key)[2].lstrip(b" ").partition(b",")[0].rstrip(b"} \n")
    return int(digits) if digits.isdigit() else 0
