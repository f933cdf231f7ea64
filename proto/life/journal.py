"""The container's events on disk: the one truth, read by every replacement of the state actor and by the guard.

A record is ``length, checksum, payload``: two little-endian 32-bit words and a msgpack list ``[time, word,
body]``. Records are appended with one ``write`` each. A process may be killed in the middle of it, so a cut or
damaged tail is the end of the journal and not an error; the writer truncates it before it appends.

Room is reserved beyond the end of the file, so that a container's end can be written down on a file system that has
become full (``docs/architecture.md``, Decisions).
"""

import errno
import os
import time
from collections.abc import Iterator

import msgpack

from proto.errors import ProtocolError
from proto.host.reserve import reserve
from proto.value import Value
from proto.wire.codec import from_plain, to_plain
from proto.wire.registry import Message, class_of, word_of

from .frames import contents, framed, payloads

ROOM = 16 << 10
"""Bytes that are kept free beyond the last record. What a container's life can still bring is less, but for signals
(each asks for room of its own) and for the program's arguments (``Journal.reserve``)."""


class Record(Value):
    """One event, with the wall-clock time (seconds since the epoch) at which it was appended."""

    time: float
    event: Message


def pack(event: Message, now: float) -> bytes:
    """Return the bytes of one record."""
    payload: bytes = msgpack.packb([now, word_of(type(event)), to_plain(event)])
    return framed(payload)


def scan(data: bytes) -> Iterator[tuple[int, Record]]:
    """Yield each whole record with the offset of its end; stop without a word at the first that is not whole.

    Raises:
        ProtocolError: a whole record names an event that does not exist, so it was written by another version.

    """
    for end, payload in payloads(data):
        try:
            now, word, body = msgpack.unpackb(payload)
        except ValueError as error:
            msg = f"the journal has a record that cannot be read: {error}"
            raise ProtocolError(msg) from None
        yield end, Record(now, from_plain(class_of(word), body))


def read(path: str) -> list[Record]:
    """Return the records of a journal; none if there is no such file."""
    return [record for _, record in scan(contents(path))]


def _open(path: str) -> tuple[int, bool]:
    """Open a journal, made if there is none; for reading only if its file system has become read-only."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), True
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC), False


class Journal:
    """The writing end. One process at a time has it: the state actor, or after its death the guard."""

    def __init__(self, path: str) -> None:
        self._fd, self._writable = _open(path)
        size = os.fstat(self._fd).st_size
        found = list(scan(os.pread(self._fd, size, 0)))
        self._end = found[-1][0] if found else 0
        if size > self._end and self._writable:
            self._cut()
        self.records = [record for _, record in found]

    def append(self, event: Message) -> Record:
        """Write one event; it is on disk, as far as a process can tell, when this returns.

        Raises:
            OSError: it could not be written, and the journal is as it was.

        """
        self._check_writable()
        record = Record(time.time(), event)
        data = pack(event, record.time)
        try:
            offset = self._end
            while data:
                written = os.pwrite(self._fd, data, offset)
                offset += written
                data = data[written:]
        except OSError:
            self._cut()
            raise
        self._end = offset
        self.records.append(record)
        return record

    def reserve(self, size: int = ROOM) -> None:
        """See to it that so many more bytes find room.

        Raises:
            OSError: there is none.

        """
        self._check_writable()
        reserve(self._fd, self._end, size)

    def _check_writable(self) -> None:
        if not self._writable:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    def _cut(self) -> None:
        """Take away what is no whole record. It gives reserved room back; cutting nothing off would, too."""
        os.ftruncate(self._fd, self._end)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
