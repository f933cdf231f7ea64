"""``state.json``: what ``scrun state`` prints, and all that the hot verbs read.

The hot verbs have no JSON parser, so the layout is fixed: one top-level key a line in the order below, two
blanks deep, and the last key, ``scrun``, on one line. The half that reads needs ``os`` only; the half that writes
imports what it needs when it is called.

The file is derived from the journal and replaced by rename, so a reader sees the old one or the new one. Room for the
next one has been made already, so it can be written on a file system that has become full. The old one then keeps its
room until there is a fresh file for the next, or becomes the next itself: whatever is given back, another process may
take. The last one of all, which tells how it ended, has room of its own from the beginning, for file systems that
cannot exchange names.
"""

import os
import time

from proto import __version__
from proto.host.machine import boot_id
from proto.host.paths import ContainerPaths

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .container import Container

ROOM = 4096
"""Bytes by which the next file may be longer than the last one: reasons, nodes, the sentence of an end."""
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


class StateFile:
    """A ``state.json`` as it was read.

    Attributes:
        text: the file.
        status: the status in it; empty if it cannot be read.
        anchor, born: pid and start time of the anchor.
        boot: the kernel's word for the time in which that holds; empty in files of earlier versions.
        window: see ``Creation.window``.

    """

    __slots__ = ("anchor", "boot", "born", "status", "text", "window")

    def __init__(self, text: bytes) -> None:
        self.text = text
        head, found, tail = text.rpartition(_LAST_KEY)
        self.status = _value(head, b'\n  "status": ').strip(b'"').decode("ascii", "replace") if found else ""
        # Within a JSON string a quote has a backslash before it, so these can only be the keys themselves.
        self.anchor = _number(tail, b'"anchor":')
        self.born = _number(tail, b'"starttime":')
        self.boot = _word(tail, b'"boot": "')
        self.window = b'"window": true' in tail
        # Only a state that was written after the anchor had gone (``clear_up``) may name none.
        if not self.anchor and self.status != "stopped":
            self.status = ""

    def anchor_lives(self) -> bool:
        """Whether the anchor lives.

        After the machine was started anew a process may have both its pid and its start time, which is counted from
        there: what a boot script starts has much the same ones each time.
        """
        return start_time(self.anchor) == self.born != 0 and self.boot in {"", boot_id()}

    def as_stopped(self) -> bytes:
        """The text, but for a container that has stopped since."""
        lines = self.text.split(b"\n")
        for index, line in enumerate(lines):
            if line.startswith(b'  "status": '):
                lines[index] = b'  "status": "stopped",'
            elif line.startswith(b'  "pid": '):
                lines[index] = b'  "pid": 0,'
        return b"\n".join(lines)


def _value(text: bytes, key: bytes) -> bytes:
    """The rest of a key's line, without the comma."""
    return text.partition(key)[2].partition(b"\n")[0].rstrip(b", ")


def _word(text: bytes, key: bytes) -> str:
    return text.partition(key)[2].partition(b'"')[0].decode("ascii", "replace")


def _number(text: bytes, key: bytes) -> int:
    digits = text.partition(key)[2].lstrip(b" ").partition(b",")[0].rstrip(b"} \n")
    # A file may be another user's, made for root's eyes, and int() refuses thousands of digits.
    return int(digits) if digits.isdigit() and len(digits) < 20 else 0


def render(container: "Container", anchor: int, started: int) -> str:
    """Return the text of the file (runtime.md, State; runc's additional ``rootfs``, ``created``, ``owner``)."""
    import json

    creation = container.creation
    assert creation is not None  # noqa: S101 - there is no state before there is a creation
    stopped = container.status == "stopped"
    seconds, fraction = divmod(creation.created, 1)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(fraction * 1e9):09}Z"

    def pretty(value: object) -> str:
        return json.dumps(value, indent=2, ensure_ascii=True).replace("\n", "\n  ")

    lines = {
        "ociVersion": creation.oci_version,
        "id": creation.id,
        "status": container.status,
        "pid": 0 if stopped else anchor,
        "bundle": creation.bundle,
        "rootfs": creation.rootfs,
        "created": stamp,
        "owner": creation.caller.user,
        "annotations": creation.annotations | annotations(container),
    }
    text = [f"  {json.dumps(key)}: {pretty(value)}" for key, value in lines.items()]
    private = {
        "anchor": anchor, "starttime": started, "version": __version__, "phase": phase(container), "boot": boot_id(),
        "window": creation.window,
    }  # fmt: skip
    text.append(f'  "scrun": {json.dumps(private)}')
    return "{\n" + ",\n".join(text) + "\n}\n"


def annotations(container: "Container") -> dict[str, str]:
    """What scrun adds to the annotations: the job, why it waits, and why it ended."""
    found = {
        "scrun.job-id": str(container.job_id or ""),
        "scrun.job-state": {"queued": "PENDING", "granted": "RUNNING"}.get(container.job, ""),
        "scrun.job-reason": container.queue_reason if container.job == "queued" else "",
        "scrun.nodes": container.nodes,
        "scrun.staging": container.progress if phase(container) == "staging in" else "",
        "scrun.step": container.step_id,
    }
    if container.ending is not None and container.finished:
        found["scrun.end"] = container.ending.kind
        found["scrun.exit-code"] = str(container.ending.exit_code)
        found["scrun.end-reason"] = container.ending.sentence
    return {key: value for key, value in found.items() if value}


def phase(container: "Container") -> str:
    """A word for people that is finer than the OCI status."""
    if container.finished:
        return "stopped"
    if container.ending is not None:
        return "ending"
    if container.step != "none":
        return "paused" if container.status == "paused" else container.step
    if container.stage == "ready":
        return "created"
    return "staging in" if container.job == "granted" else container.job


def write(paths: ContainerPaths, text: str, *, last: bool = False) -> int:
    """Replace the file by a text (``render``), the ``last`` one or one that others follow; return its size.

    Raises:
        OSError: it could not be written, and is as it was.

    """
    from proto.host.reserve import exchange

    data = text.encode("utf-8", "surrogateescape")
    new = _last(paths) if last else _next(paths)
    with open(_open(new), "wb") as file:
        longer = os.fstat(file.fileno()).st_size > len(data)
        file.write(data)
        if longer:
            file.truncate()  # which gives back what is reserved beyond the end, too
    replaces = os.path.exists(paths.state) and not last
    if not replaces or not exchange(new, paths.state):
        os.rename(new, paths.state)
    try:
        if last:
            os.unlink(_next(paths))
        else:
            keep_room(paths, len(data))
    except OSError:
        pass
    return len(data)


def keep_room(paths: ContainerPaths, size: int) -> None:
    """See to it that the last file and the next one are there, with room for so many bytes and a few more.

    Raises:
        OSError: there is no room; a next file that is there stays.

    """
    from proto.host.reserve import reserve

    fresh = f"{_next(paths)}.fresh"
    try:
        for path in (_last(paths), fresh):
            descriptor = _open(path)
            try:
                reserve(descriptor, 0, size + ROOM)
            finally:
                os.close(descriptor)
        # A reader may still have the old state.json open, which has that name now: only on a full file system is it
        # written into.
        os.rename(fresh, _next(paths))
    except OSError:
        try:
            os.unlink(fresh)
        except OSError:
            pass
        raise


def _next(paths: ContainerPaths) -> str:
    return f"{paths.state}.next"


def _last(paths: ContainerPaths) -> str:
    return f"{paths.state}.last"


def _open(path: str) -> int:
    # Not emptied: that would give its room back.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
