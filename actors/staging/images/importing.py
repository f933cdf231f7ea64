"""Copies a whole tree, exactly and by several processes at once.

``cp -a`` does not: it gives up where a path is longer than 4,096 bytes, tells what it left out in English only, and has
one process, which on a network file system does nothing but wait for the server, some milliseconds for each file.
"""

import errno
import os
import select
import time
from collections.abc import Callable
from typing import Any

import msgpack

from actors.staging.filesystem import NETWORK_FILE_SYSTEMS, current_mounts, file_system
from proto.errors import StagingError, reason
from proto.value import Value

from . import worker
from .descent import Names
from .directory import Copied, DirectoryCopier
from .exact import Notes

Progress = Callable[[int, int], None]
"""Told the files and the bytes so far, at most four times in a second, and once at the end."""

ALONE = 0.05
"""Seconds of work before others are called: a small image is copied by then, and a worker takes 30 ms to start."""
ON_DISK = 4
ON_NETWORK = 8
"""Workers at most; a disk keeps as many busy as there are processors, a server answers many at once."""
_INTERVAL = 0.25
_GONE = "a process that copied the root file system was ended by another one; try again"


class NoRoomError(StagingError):
    """The file system is full, or a quota is used up."""


class Imported(Value):
    """What a tree consists of.

    Attributes:
        files: number of entries but directories.
        size: bytes of contents that were copied; holes are none, and a file with several names counts once.
        missing: how many things could not be copied by this user.
        first: the first of them, in words.

    """

    files: int
    size: int
    missing: int
    first: str


def import_tree(
    source: str,
    target: str,
    *,
    owners: bool,
    progress: Progress | None = None,
    keep: tuple[int, ...] = (),
    workers: int = 0,
) -> Imported:
    """Copy a directory with all that is in it, but nothing that is mounted there.

    Args:
        source: directory to copy.
        target: directory to make; nothing may be there.
        owners: whether the files keep their owners; otherwise all belong to the caller.
        progress: see ``Progress``.
        keep: descriptors that stay open as long as any process may write to the target (a lock).
        workers: how many processes; 0 to decide by the file systems.

    Raises:
        NoRoomError: there is no room for it.
        StagingError: the source is not there, or the copy failed for another reason than the user's rights.

    """
    if not os.path.isdir(source):
        raise StagingError(f"the root file system {source} is not there")
    task = _Import(source, target, owners, progress or (lambda _files, _bytes: None), keep)
    try:
        os.mkdir(target, 0o700)
        return task.run(workers or _useful_workers(source, target))
    except OSError as error:
        kind = NoRoomError if error.errno in {errno.ENOSPC, errno.EDQUOT} else StagingError
        raise kind(f"the root file system cannot be copied to {_lasting(target)}: {reason(error)}") from None


def _lasting(path: str) -> str:
    """The directory for the user to look at: above all that has a name for the time being."""
    parts = path.split("/")
    at = next((index for index, part in enumerate(parts) if part.endswith(".new") or "~" in part), len(parts))
    return "/".join(parts[:at])


def _useful_workers(source: str, target: str) -> int:
    table = current_mounts()
    if {file_system(source, table), file_system(os.path.dirname(target), table)} & NETWORK_FILE_SYSTEMS:
        return ON_NETWORK
    return min(ON_DISK, len(os.sched_getaffinity(0)))


class _Import:
    def __init__(self, source: str, target: str, owners: bool, progress: Progress, keep: tuple[int, ...]) -> None:
        self._source = source
        self._target = target
        self._owners = owners
        self._progress = progress
        self._keep = keep
        self._notes = Notes()
        self._files = 0
        self._bytes = 0
        self._told = time.monotonic()
        self._todo: list[Names] = [()]
        self._linked: dict[tuple[int, int], list[tuple[Names, bytes]]] = {}
        self._unfinished: set[Names] = set()

    def run(self, workers: int) -> Imported:
        copier = DirectoryCopier(self._source, self._target, self._notes, self._copied, owners=self._owners)
        try:
            until = time.monotonic() + ALONE
            while self._todo and (workers < 2 or time.monotonic() < until):
                names = self._todo.pop()
                self._done(names, copier.copy(names))
            if self._todo:
                self._work_with(workers)
            for first, *others in self._linked.values():
                copier.link(first, others)
                self._files += 1 + len(others)
                self._unfinished |= {names for names, _ in (first, *others)}
            for names in sorted(self._unfinished, key=len, reverse=True):
                copier.finish(names)
        finally:
            copier.close()
        self._progress(self._files, self._bytes)
        return Imported(self._files, self._bytes, self._notes.count, self._notes.first)

    def _work_with(self, count: int) -> None:
        helpers: dict[int, _Helper] = {}
        poll = select.poll()
        try:
            for _ in range(count):
                helper = _Helper(worker.argv(self._source, self._target, owners=self._owners), self._keep)
                helpers[helper.descriptor] = helper
                poll.register(helper.descriptor, select.POLLIN)
            while self._todo or any(helper.names is not None for helper in helpers.values()):
                for helper in helpers.values():
                    if self._todo and helper.names is None:
                        helper.give(self._todo.pop())
                for descriptor, _ in poll.poll():
                    for answer in helpers[descriptor].answers():
                        self._answered(helpers[descriptor], answer)
        finally:
            for helper in helpers.values():
                helper.end()

    def _answered(self, helper: "_Helper", answer: dict[str, Any]) -> None:
        if "error" in answer:
            raise OSError(answer["error"], os.strerror(answer["error"]), answer["where"])
        self._copied(answer["bytes"])
        if "below" not in answer:
            return
        names, helper.names = helper.names, None
        linked = tuple((device, inode, name) for device, inode, name in answer["linked"])
        self._notes.more(answer["notes"], answer["first"])
        self._done(names or (), Copied(tuple(answer["below"]), answer["files"], linked, answer["narrow"]))

    def _done(self, names: Names, done: Copied) -> None:
        self._files += done.files
        # The last one found is the next one done: so the list stays short, and its directory is still open.
        self._todo += [(*names, name) for name in done.below]
        for device, inode, name in done.linked:
            self._linked.setdefault((device, inode), []).append((names, name))
        if done.narrow:
            self._unfinished.add(names)

    def _copied(self, count: int) -> None:
        self._bytes += count
        now = time.monotonic()
        if now - self._told >= _INTERVAL:
            self._told = now
            self._progress(self._files, self._bytes)


class _Helper:
    """A worker, and what it is at."""

    def __init__(self, argv: list[str], keep: tuple[int, ...]) -> None:
        import subprocess  # 4 ms of each create, of which most have no helper

        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=keep, env={},
            bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None  # noqa: S101 - for the type checker
        assert self._process.stdout is not None  # noqa: S101
        self._stdin = self._process.stdin
        self._stdout = self._process.stdout
        self.descriptor = self._stdout.fileno()
        self.names: Names | None = None
        self._data = b""

    def give(self, names: Names) -> None:
        """Have it copy a directory.

        Raises:
            StagingError: it is gone.

        """
        self.names = names
        rest = memoryview(worker.pack(names))
        try:
            while rest:
                rest = rest[self._stdin.write(rest) or 0 :]
        except BrokenPipeError:
            raise StagingError(_GONE) from None

    def answers(self) -> list[dict[str, Any]]:
        """What it has said meanwhile.

        Raises:
            StagingError: it is gone.

        """
        more = os.read(self.descriptor, 1 << 20)
        if not more:
            raise StagingError(_GONE)
        self._data += more
        found = []
        while len(self._data) >= worker.LENGTH:
            end = worker.LENGTH + int.from_bytes(self._data[: worker.LENGTH], "big")
            if len(self._data) < end:
                break
            found.append(msgpack.unpackb(self._data[worker.LENGTH : end], strict_map_key=False))
            self._data = self._data[end:]
        return found

    def end(self) -> None:
        self._process.kill()
        self._stdin.close()
        self._stdout.close()
        self._process.wait()
