"""``state.json``: what ``scrun state`` prints, and all that the hot verbs read.

The hot verbs have no JSON parser, so the layout is fixed: one top-level key a line in the order below, two
blanks deep, and the last key, ``scrun``, on one line. The file is derived from the journal and replaced by
rename, so a reader sees the old one or the new one. Room for the next one has been made already, so it can be written
on a file system that has become full. The old one then keeps its room until there is a fresh file for the next, or
becomes the next itself: whatever is given back, somebody else may take. The last one of all, which tells how it ended,
has room of its own from the beginning, for file systems that cannot exchange names.
"""

import contextlib
import json
import os
import time

from proto import __version__
from proto.container import Container
from proto.machine import boot_id
from proto.paths import ContainerPaths
from proto.room import exchange, reserve

ROOM = 4096
"""Bytes by which the next file may be longer than the last one: reasons, nodes, the sentence of an end."""


def start_time(pid: int) -> int:
    """Start time of a process in clock ticks since boot (field 22 of ``/proc/PID/stat``), 0 if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rsplit(b")", 1)[1].split()[19])
    except (OSError, IndexError):
        return 0


def render(container: Container, anchor: int, started: int) -> str:
    """Return the text of the file (runtime.md, State; runc's additional ``rootfs``, ``created``, ``owner``)."""
    creation = container.creation
    assert creation is not None  # noqa: S101 - there is no state before there is a creation
    stopped = container.status == "stopped"
    seconds, fraction = divmod(creation.created, 1)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(fraction * 1e9):09}Z"
    lines = {
        "ociVersion": creation.oci_version,
        "id": creation.id,
        "status": container.status,
        "pid": 0 if stopped else anchor,
        "bundle": creation.bundle,
        "rootfs": creation.rootfs,
        "created": stamp,
        "owner": creation.user,
        "annotations": creation.annotations | annotations(container),
    }
    text = [f"  {json.dumps(key)}: {_pretty(value)}" for key, value in lines.items()]
    private = {
        "anchor": anchor, "starttime": started, "version": __version__, "phase": phase(container), "boot": boot_id(),
    }  # fmt: skip
    text.append(f'  "scrun": {json.dumps(private)}')
    return "{\n" + ",\n".join(text) + "\n}\n"


def annotations(container: Container) -> dict[str, str]:
    """What scrun adds to the annotations: the job, why it waits, and why it ended."""
    found = {
        "scrun.job-id": str(container.job_id or ""),
        "scrun.job-state": {"queued": "PENDING", "granted": "RUNNING"}.get(container.job, ""),
        "scrun.job-reason": container.queue_reason if container.job == "queued" else "",
        "scrun.nodes": container.nodes,
        "scrun.step": container.step_id,
    }
    if container.ending is not None and container.finished:
        found["scrun.end"] = container.ending.kind
        found["scrun.exit-code"] = str(container.ending.exit_code)
        found["scrun.end-reason"] = container.ending.sentence
    return {key: value for key, value in found.items() if value}


def phase(container: Container) -> str:
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


def write(paths: ContainerPaths, container: Container, anchor: int, started: int) -> int:
    """Replace the file; return its size.

    Raises:
        OSError: it could not be written, and is as it was.

    """
    data = render(container, anchor, started).encode("utf-8", "surrogateescape")
    new = _last(paths) if container.finished else _next(paths)
    with open(_open(new), "wb") as file:
        longer = os.fstat(file.fileno()).st_size > len(data)
        file.write(data)
        if longer:
            file.truncate()  # which gives back what is reserved beyond the end, too
    replaces = os.path.exists(paths.state) and not container.finished
    if not replaces or not exchange(new, paths.state):
        os.rename(new, paths.state)
    with contextlib.suppress(OSError):
        if container.finished:
            os.unlink(_next(paths))
        else:
            keep_room(paths, len(data))
    return len(data)


def keep_room(paths: ContainerPaths, size: int) -> None:
    """See to it that the last file and the next one are there, with room for so many bytes and a few more.

    Raises:
        OSError: there is no room; a next file that is there stays.

    """
    fresh = f"{_next(paths)}.fresh"
    try:
        for path in (_last(paths), fresh):
            descriptor = _open(path)
            try:
                reserve(descriptor, 0, size + ROOM)
            finally:
                os.close(descriptor)
        # Somebody may still read the old state.json, which has that name now: it is written into in need only.
        os.rename(fresh, _next(paths))
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(fresh)
        raise


def _next(paths: ContainerPaths) -> str:
    return f"{paths.state}.next"


def _last(paths: ContainerPaths) -> str:
    return f"{paths.state}.last"


def _open(path: str) -> int:
    # Not emptied: that would give its room back.
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _pretty(value: object) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=True)
    return text.replace("\n", "\n  ")
