"""Reads a POSIX tar as GNU tar writes it with ``--format=posix --xattrs --sparse``, and nothing else.

The standard library's reader makes floating point numbers of times, knows no extended attributes and takes many a form
that is not asked for here. A program that we do not trust has made what is in the archive; so every number is looked
at, names are bytes (``os.fsdecode``), and what this module does not know it refuses.
"""

import io
import os
import stat
from collections.abc import Iterator

from proto.value import Value

from .tar_fields import BILLION, broken, decimal, given, nanoseconds, number, records, strange, text, verify

_BLOCK = 512
_KINDS = {
    b"0": stat.S_IFREG, b"\0": stat.S_IFREG, b"1": 0, b"2": stat.S_IFLNK, b"3": stat.S_IFCHR, b"4": stat.S_IFBLK,
    b"5": stat.S_IFDIR, b"6": stat.S_IFIFO,
}  # fmt: skip
_DEVICES = (stat.S_IFCHR, stat.S_IFBLK)
_XATTR = b"SCHILY.xattr."
_MAXIMUM_HEADER = 16 << 20
"""Bytes of a member's extended header: 1,500 names of 255 bytes and all extended attributes that a file can have."""
_MAXIMUM_MAP = 64 << 20
"""Bytes of a sparse file's map: about two million pieces."""
_IDS = 2**32 - 1  # this one is nobody: chown(2) takes it for "leave it"
_DEVICE_NUMBERS = 2**20
_SIZES = 2**63
_TIMES = 2**62 * BILLION  # a program on a tmpfs can set any that has 64 bits; a file system takes its own end


class Member(Value):
    """An entry of the archive.

    Attributes:
        name: its path as it is written.
        mode: kind and rights, as in ``st_mode``; the kind is 0 for a hard link.
        uid, gid: the numbers of its owners.
        mtime: nanoseconds since the epoch.
        xattrs: all extended attributes.
        link: where a symbolic link leads, or which member a hard link is another name of.
        device: of a device node.
        size: bytes of a regular file, holes included.
        data: offset in the archive of what is stored of it.
        stored: how many bytes that is.
        sparse: whether they begin with a map of where they belong.

    """

    name: str
    mode: int
    uid: int
    gid: int
    mtime: int
    xattrs: dict[str, bytes]
    link: str
    device: int
    size: int
    data: int
    stored: int
    sparse: bool


def members(archive: int) -> Iterator[Member]:
    """Read the entries of an archive, in their order.

    Args:
        archive: descriptor of a file, which is read at offsets of our own.

    Raises:
        StagingError: it ends before its end, or has something in it that is not understood.
        OSError: it cannot be read.

    """
    length = os.fstat(archive).st_size
    at = 0
    extended: dict[bytes, bytes] = {}
    while True:
        header = _read(archive, at, _BLOCK)
        if header == bytes(_BLOCK):
            if _read(archive, at + _BLOCK, _BLOCK) != bytes(_BLOCK):
                raise broken()
            return
        verify(header)
        at += _BLOCK
        kind = header[156:157]
        size = given(extended, b"size", header[124:136], _SIZES)
        after = at + (size + _BLOCK - 1) // _BLOCK * _BLOCK
        if after > length:
            raise broken()
        if kind == b"x":
            if extended or size > _MAXIMUM_HEADER:
                raise strange("an extended header")
            extended = records(_read(archive, at, size))
        elif kind in _KINDS:
            yield _member(header, extended, at, size)
            extended = {}
        elif kind != b"g":  # what is said of all members is of no interest
            raise strange(f"a member of kind {kind!r}")
        at = after


def pieces(archive: int, member: Member) -> Iterator[tuple[int, int, int]]:
    """Where the contents of a regular file are: offset in the archive, offset in the file, bytes; in order.

    Raises:
        StagingError: the map of a sparse file is wrong.
        OSError: the archive cannot be read.

    """
    if not member.sparse:
        if member.size != member.stored:
            raise strange("a size")
        yield member.data, 0, member.size
        return
    table, used = _sparse_map(archive, member)
    at, end, reached = member.data + used, member.data + member.stored, 0
    while line := table.readline():
        start, length = decimal(line.rstrip(b"\n")), decimal(table.readline().rstrip(b"\n"))
        if start < reached or start + length > member.size or at + length > end:
            raise strange("a map of a sparse file")
        yield at, start, length
        at, reached = at + length, start + length
    if at != end:
        raise strange("a map of a sparse file")


def _sparse_map(archive: int, member: Member) -> tuple[io.BytesIO, int]:
    """The lines of a map, two for each piece, and how many bytes of the data it takes."""
    lines = b""
    wanted = -1
    while wanted < 0 or lines.count(b"\n") < wanted:
        more = min(max(_BLOCK, len(lines)), member.stored - len(lines))
        if more <= 0 or len(lines) > _MAXIMUM_MAP:
            raise strange("a map of a sparse file")
        lines += _read(archive, member.data + len(lines), more)
        if wanted < 0 and b"\n" in lines:
            wanted = 1 + 2 * decimal(lines.partition(b"\n")[0])
    table = io.BytesIO(lines)
    for _ in range(wanted):
        table.readline()
    end = table.tell()
    first = lines.index(b"\n") + 1
    return io.BytesIO(lines[first:end]), (end + _BLOCK - 1) // _BLOCK * _BLOCK


def _member(header: bytes, extended: dict[bytes, bytes], data: int, size: int) -> Member:
    kind = _KINDS[header[156:157]]
    sparse = (extended.get(b"GNU.sparse.major"), extended.get(b"GNU.sparse.minor")) == (b"1", b"0")
    if kind != stat.S_IFREG and size:
        raise strange("a member with contents that is no file")
    if not sparse and any(key.startswith(b"GNU.sparse.") for key in extended):
        raise strange("a sparse file of another form")
    name = extended.get(b"path")
    if name is None:
        prefix = text(header[345:500])
        name = (prefix + b"/" if prefix else b"") + text(header[0:100])
    name = extended.get(b"GNU.sparse.name", name)
    link = extended.get(b"linkpath", text(header[157:257]))
    if b"\0" in name or b"\0" in link:
        raise strange("a name with a NUL")
    written = extended.get(b"mtime")
    mtime = number(header[136:148]) * BILLION if written is None else nanoseconds(written)
    xattrs = {_xattr_name(key): value for key, value in extended.items() if key.startswith(_XATTR)}
    if any("\0" in xattr for xattr in xattrs):
        raise strange("a name with a NUL")
    return Member(
        os.fsdecode(name),
        kind | number(header[100:108]) & 0o7777,
        given(extended, b"uid", header[108:116], _IDS),
        given(extended, b"gid", header[116:124], _IDS),
        max(-_TIMES, min(mtime, _TIMES)),
        xattrs,
        os.fsdecode(link),
        _device(header) if kind in _DEVICES else 0,
        given(extended, b"GNU.sparse.realsize", b"", _SIZES) if sparse else size,
        data,
        size,
        sparse,
    )


def _device(header: bytes) -> int:
    major, minor = (given({}, b"", header[at : at + 8], _DEVICE_NUMBERS) for at in (329, 337))
    return os.makedev(major, minor)


def _xattr_name(key: bytes) -> str:
    return os.fsdecode(key.removeprefix(_XATTR).replace(b"%3D", b"=").replace(b"%25", b"%"))  # GNU tar's own


def _read(archive: int, at: int, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = os.pread(archive, length - len(found), at + len(found))
        if not piece:
            raise broken()
        found += piece
    return found
