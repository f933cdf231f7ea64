"""A process that copies directories of a tree, one after another, as it is told on its standard input.

It is an interpreter of its own: what stages is a process with threads, which cannot be forked safely. It ends with its
standard input, so that it does not survive whoever works with it by more than the file that it copies.
"""

import os
import sys
import time
from typing import Any

import msgpack

from .directory import DirectoryCopier
from .exact import Notes

LENGTH = 4
"""Bytes of the number before each message."""
INTERVAL = 0.2
"""Seconds between two messages about a directory that takes longer."""

PROGRAM = """
import os, sys
sys.path[:0] = sys.argv[1].split(os.pathsep)
from actors.staging.images.worker import main
main(os.fsencode(sys.argv[2]), os.fsencode(sys.argv[3]), sys.argv[4] == "owners")
"""


def argv(source: str, target: str, *, owners: bool) -> list[str]:
    """The command that starts a worker."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return [sys.executable, "-IS", "-c", PROGRAM, paths, source, target, "owners" if owners else "single"]


def pack(message: object) -> bytes:
    """A message with its length."""
    body: bytes = msgpack.packb(message)
    return len(body).to_bytes(LENGTH, "big") + body


class Speaker:
    """Tells the other side how far the work is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._bytes = 0
        self._said = time.monotonic()

    def copied(self, count: int) -> None:
        """Count bytes, and tell them now and then."""
        self._bytes += count
        if time.monotonic() - self._said > INTERVAL:
            self.say({})

    def say(self, message: dict[str, Any]) -> None:
        """Send a message with the bytes since the last one."""
        rest = memoryview(pack({**message, "bytes": self._bytes}))
        self._bytes = 0
        self._said = time.monotonic()
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


def main(source: bytes, target: bytes, owners: bool) -> None:
    """Copy what is asked for until there is nobody any more who asks.

    A request is the list of names that lead to a directory. The answer has ``below``, ``files``, ``linked`` and
    ``narrow`` (see ``Copied``), ``notes`` and the ``first`` of them; or ``error`` and ``where``.
    """
    notes = Notes()
    speaker = Speaker(1)
    copier = DirectoryCopier(os.fsdecode(source), os.fsdecode(target), notes, speaker.copied, owners=owners)
    while head := _read(LENGTH):
        names = tuple(msgpack.unpackb(_read(int.from_bytes(head, "big"))))
        before = notes.count
        try:
            done = copier.copy(names)
        except OSError as error:
            speaker.say({"error": error.errno or 0, "where": b"/".join(names)})
            continue
        speaker.say(
            {
                "below": done.below,
                "files": done.files,
                "linked": done.linked,
                "narrow": done.narrow,
                "notes": notes.count - before,
                "first": notes.first,
            }
        )


def _read(count: int) -> bytes:
    data = b""
    while len(data) < count and (more := os.read(0, count - len(data))):
        data += more
    return data if len(data) == count else b""
