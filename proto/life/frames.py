"""The frames of a journal: how records follow each other in the file, whatever is in them."""

import os
from struct import Struct
from zlib import crc32

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = Struct("<II")
RECORD_LIMIT = 64 << 20
"""Largest record in bytes: a creation with arguments and environment of megabytes fits, garbage does not."""


def framed(payload: bytes) -> bytes:
    """One record: its length, its checksum and itself."""
    return _HEAD.pack(len(payload), crc32(payload)) + payload


def payloads(data: bytes) -> "Iterator[tuple[int, bytes]]":
    """Yield each whole record with the offset of its end; stop without a word at the first that is not whole."""
    offset = 0
    while offset + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, offset)
        payload = data[offset + _HEAD.size : offset + _HEAD.size + length]
        if length > RECORD_LIMIT or len(payload) < length or crc32(payload) != checksum:
            return
        offset += _HEAD.size + length
        yield offset, payload


def contents(path: str) -> bytes:
    """The bytes of a journal; none if there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.read(descriptor, os.fstat(descriptor).st_size)
    finally:
        os.close(descriptor)
