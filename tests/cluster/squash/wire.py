"""What the kernel says to a file system in a process, and how it is answered: ``linux/fuse.h``, version 7.31."""

from __future__ import annotations

import struct
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import os

MAJOR, MINOR = 7, 31
BUFFER = 1 << 18
"""Bytes of the largest request, a write of ``MAX_WRITE`` with its headers."""
MAX_WRITE = 1 << 17

_BIG_WRITES = 1 << 5  # FUSE_INIT: more than a page at once
_HEADER = struct.Struct("<IIQQIIIHH")
_ANSWER = struct.Struct("<IiQ")
_ATTRIBUTES = struct.Struct("<3Q3q10I")
_ENTRY = struct.Struct("<4Q2I")
_SETATTR = struct.Struct("<II3Q3q8I")
_INIT = struct.Struct("<4I2H2I2H8I")
_ENTRY_OF_DIRECTORY = struct.Struct("<QQII")

# What FUSE_SETATTR wants to be changed (FATTR_*).
MODE, UID, GID, SIZE, ATIME, MTIME, HANDLE, ATIME_NOW, MTIME_NOW = (1 << bit for bit in range(9))


class Request(NamedTuple):
    opcode: int
    unique: int
    node: int
    asker: tuple[int, int]
    body: memoryview

    def words(self, form: str) -> tuple[int, ...]:
        """The numbers at the beginning of the body."""
        return struct.unpack_from("<" + form, self.body)

    def names(self, offset: int = 0) -> list[bytes]:
        """The names from there to the body's end."""
        return bytes(self.body[offset:]).split(b"\0")[:-1]


class Changes(NamedTuple):
    """FUSE_SETATTR; times in nanoseconds."""

    valid: int
    handle: int
    size: int
    mode: int
    uid: int
    gid: int
    atime: int
    mtime: int


def request(data: memoryview) -> Request:
    _, opcode, unique, node, uid, gid, *_ = _HEADER.unpack_from(data)
    return Request(opcode, unique, node, (uid, gid), data[_HEADER.size :])


def answer(unique: int, error: int = 0, body: bytes = b"") -> bytes:
    return _ANSWER.pack(_ANSWER.size + len(body), -error, unique) + body


def changes(asked: Request) -> Changes:
    valid, _, handle, size, _, atime, mtime, _, a_ns, m_ns, _, mode, _, uid, gid, _ = _SETATTR.unpack_from(asked.body)
    now = time.time_ns()
    return Changes(
        valid, handle, size, mode, uid, gid,
        now if valid & ATIME_NOW else atime * 10**9 + a_ns,
        now if valid & MTIME_NOW else mtime * 10**9 + m_ns,
    )  # fmt: skip


def attributes(found: os.stat_result) -> bytes:
    times = [divmod(ns, 10**9) for ns in (found.st_atime_ns, found.st_mtime_ns, found.st_ctime_ns)]
    return _ATTRIBUTES.pack(
        found.st_ino, found.st_size, found.st_blocks, *(seconds for seconds, _ in times), *(ns for _, ns in times),
        found.st_mode, found.st_nlink, found.st_uid, found.st_gid, found.st_rdev, found.st_blksize, 0,
    )  # fmt: skip


def attributes_now(found: os.stat_result) -> bytes:
    """Attributes that the kernel asks for anew each time, and so sees what other users and nodes did."""
    return bytes(16) + attributes(found)


def entry(node: int, found: os.stat_result) -> bytes:
    """A name's node, which is asked for anew each time: the next to ask may be somebody who must not."""
    return _ENTRY.pack(node, 0, 0, 0, 0, 0) + attributes(found)


def opened(handle: int) -> bytes:
    return struct.pack("<QII", handle, 0, 0)


def hello(asked: Request) -> bytes:
    """Answer to FUSE_INIT: no locks of ours (the kernel has its own), no caches of names."""
    _, _, read_ahead, offered = asked.words("4I")
    return _INIT.pack(MAJOR, MINOR, read_ahead, offered & _BIG_WRITES, 16, 12, MAX_WRITE, 1, 0, 0, *bytes(8))


def capacity(found: os.statvfs_result) -> bytes:
    return struct.pack(
        "<5Q4I24x", found.f_blocks, found.f_bfree, found.f_bavail, found.f_files, found.f_ffree,
        found.f_bsize, found.f_namemax, found.f_frsize, 0,
    )  # fmt: skip


def listing(names: list[tuple[bytes, int]], offset: int, room: int) -> bytes:
    """As many names and inode numbers from ``offset`` as there is room for; their types the kernel asks for."""
    whole = b""
    for index, (name, inode) in enumerate(names[offset:], offset + 1):
        one = _ENTRY_OF_DIRECTORY.pack(inode, index, len(name), 0) + name
        one += bytes(-len(one) % 8)
        if len(whole) + len(one) > room:
            break
        whole += one
    return whole
