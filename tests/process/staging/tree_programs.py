"""Random programs that change a tree, and an exact description of one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import random
import shutil
import stat
import struct
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from actors.staging.tree.attributes import read_xattrs

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

TIME = 1_000_000_000_123_456_789  # all files of a Nix image have the same one
DIRECTORIES = ("", "d", "e", "d/x", "e/x")
NAMES = ("a", "b", "no \udcff text", "new")
PATHS = (*(f"{directory}/{name}".strip("/") for directory in DIRECTORIES for name in NAMES), *DIRECTORIES[1:] * 3)
OWNERS = (0, 0, 1001, 4711)

Operation = tuple[str, int, int, int]
Program = list[Operation]


def acl(user: int) -> bytes:
    """An ACL in which a user may read (the form is that of linux/posix_acl_xattr.h)."""
    none = 0xFFFFFFFF
    entries = ((1, 6, none), (2, 4, user), (4, 4, none), (16, 4, none), (32, 4, none))
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def capability(bits: int) -> bytes:
    return struct.pack("<IIIII", 0x02000001, bits, 0, 0, 0)


def write(path: str, _: str, number: int) -> None:
    with open(path, "wb") as file:
        file.write(bytes((97 + number % 26,)) * (4 + number % 2))


def overwrite(path: str, _: str, number: int) -> None:
    """Other contents of the same size, and nothing tells it but ctime."""
    status = os.stat(path, follow_symlinks=False)
    with open(path, "r+b") as file:
        file.write(bytes((97 + number % 26,)) * min(status.st_size, 4))
    os.utime(path, ns=(TIME, status.st_mtime_ns))


def append(path: str, _: str, number: int) -> None:
    with open(path, "ab") as file:
        file.write(b"%d" % number)


def holes(path: str, _: str, number: int) -> None:
    with open(path, "ab") as file:
        file.truncate((number % 5 + 1) << 20)
        if number % 2:
            os.pwrite(file.fileno(), b"in the middle", 70_000 * (number % 7))


def aged(path: str, _: str, number: int) -> None:
    os.utime(path, ns=(TIME, TIME + number % 3 * 10_000), follow_symlinks=False)


def remade(path: str, _: str, number: int) -> None:
    shutil.rmtree(only_directory(path))
    os.mkdir(path)
    if number % 2:
        write(f"{path}/a", "", number)


def link_over_directory(path: str, other: str, _: int) -> None:
    shutil.rmtree(only_directory(path))
    os.symlink(other, path)


def swapped(path: str, other: str, _: int) -> None:
    """Two directories, or files, change their names: no inode below them is touched."""
    os.rename(path, "swap")
    try:
        os.rename(other, path)
    except OSError:
        os.rename("swap", path)
        raise
    os.rename("swap", other)


def replaced(path: str, _: str, number: int) -> None:
    """As a package manager does it: another inode gets the name."""
    write("fresh", "", number)
    try:
        os.rename("fresh", path)
    except OSError:
        os.unlink("fresh")
        raise


def bare(path: str) -> str:
    """The path, with nothing there; a directory stays."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    return path


def node(kind: int, device: int) -> Callable[[str, str, int], None]:
    return lambda path, _, number: os.mknod(bare(path), kind | (0o600 + number % 64), device)


def no_xattr(path: str, _: str, __: int) -> None:
    for xattr in os.listxattr(path, follow_symlinks=False):
        os.removexattr(path, xattr, follow_symlinks=False)
        return
    raise FileNotFoundError(path)


def second_name(path: str, other: str, _: int) -> None:
    if not os.path.lexists(path) or path == other:
        raise FileNotFoundError(path)
    os.link(path, bare(other), follow_symlinks=False)


def only_directory(path: str) -> str:
    """The path; rmtree would open a pipe, and wait."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise NotADirectoryError(path)
    return path


OPERATIONS: dict[str, Callable[[str, str, int], None]] = {
    "write": write,
    "overwrite": overwrite,
    "append": append,
    "holes": holes,
    "truncate": lambda path, _, number: os.truncate(path, number % 3),
    "age": aged,
    "mode": lambda path, _, number: os.chmod(path, 0o100 * (number % 8) + number % 64, follow_symlinks=True),
    "set-id": lambda path, _, number: os.chmod(path, 0o4755 if number % 2 else 0o2755),
    "owner": lambda path, _, n: os.chown(path, OWNERS[n % 4], OWNERS[n // 4 % 4], follow_symlinks=False),
    "link": second_name,
    "rename": lambda path, other, _: os.rename(path, other),
    "swap": swapped,
    "replace": replaced,
    "unlink": lambda path, _, __: os.unlink(path),
    "mkdir": lambda path, _, __: os.mkdir(bare(path)),
    "rmdir": lambda path, _, __: shutil.rmtree(only_directory(path)),
    "remake": remade,
    "symlink": lambda path, other, _: os.symlink(other, bare(path)),
    "symlink-over-directory": link_over_directory,
    "xattr": lambda path, _, n: os.setxattr(path, f"user.{'a=%'[n % 3]}", b"\0\n%d=\xff" % n, follow_symlinks=False),
    "no-xattr": no_xattr,
    "capability": lambda path, _, n: os.setxattr(path, "security.capability", capability(n), follow_symlinks=False),
    "acl": lambda path, _, n: os.setxattr(path, "system.posix_acl_access", acl(n % 3 + 1), follow_symlinks=False),
    "default-acl": lambda path, _, n: os.setxattr(only_directory(path), "system.posix_acl_default", acl(n % 3 + 1)),
    "fifo": node(stat.S_IFIFO, 0),
    "socket": node(stat.S_IFSOCK, 0),
    "device": node(stat.S_IFCHR, os.makedev(1, 3)),
}


def at_random(seed: int) -> Program:
    """A long program in which nothing repeats, as Hypothesis' own like to; so all kinds are reached."""
    chance = random.Random(seed)
    kinds, paths = sorted(OPERATIONS), range(len(PATHS))
    return [
        (chance.choice(kinds), chance.choice(paths), chance.choice(paths), chance.randrange(1000)) for _ in range(60)
    ]


_operations = st.tuples(
    st.sampled_from(sorted(OPERATIONS)),
    st.integers(0, len(PATHS) - 1),
    st.integers(0, len(PATHS) - 1),
    st.integers(0, 1000),
)
programs = st.lists(_operations, max_size=60)
FILES = [at for at in range(len(DIRECTORIES) * len(NAMES)) if NAMES[at % 4] != "new" and at != 5]
BEGINNING: Program = [
    ("mkdir", PATHS.index("d"), 0, 0),
    ("mkdir", PATHS.index("e"), 0, 0),
    ("mkdir", PATHS.index("d/x"), 0, 0),
    ("mkdir", PATHS.index("e/x"), 0, 0),
    *(
        (kind, at, at, at)
        for at in range(len(DIRECTORIES) * len(NAMES))
        for kind in ("write", "age")
        if at % 4 != 3 and at != 5
    ),
    ("link", 0, 5, 0),
    ("holes", 6, 0, 1),
    *(("xattr", at, 0, 0) for at in FILES[::2]),
    ("capability", 8, 0, 9),
]
"""Directories with files of one time and mostly one size, of which two are one."""


def run(top: str, program: Program, reached: Counter[str]) -> None:
    """Do what can be done of a program, in a directory; those that could are counted."""
    before = os.getcwd()
    os.chdir(top)
    try:
        for kind, one, other, number in program:
            path = PATHS[one]
            with contextlib.suppress(OSError):
                # Never through a link: it may lead out of the tree.
                if not stat.S_ISLNK(os.lstat(path).st_mode) or kind in {"unlink", "rename", "link", "owner", "age"}:
                    act(kind, path, PATHS[other], number, reached)
            if not os.path.lexists(path):
                with contextlib.suppress(OSError):
                    act(kind, path, PATHS[other], number, reached)
    finally:
        os.chdir(before)


def act(kind: str, path: str, other: str, number: int, reached: Counter[str]) -> None:
    for one in (path, other):
        if os.path.realpath(os.path.dirname(one)) != os.path.abspath(os.path.dirname(one)):
            return
    opens = kind in {"write", "append", "holes", "overwrite", "truncate"}
    if opens and os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        return
    OPERATIONS[kind](path, other, number)
    reached[kind] += 1


FACTS = 7
"""How many facts describe an entry; the names that are the same file follow them."""


def describe(top: str) -> dict[str, tuple[object, ...]]:
    """All that there is to know of a tree, and which names are one file; sockets do not count."""
    found: dict[str, tuple[object, ...]] = {}
    inodes: dict[tuple[int, int], list[str]] = {}
    for directory, directories, files in os.walk(top):
        for name in (*directories, *files, *([""] if directory == top else [])):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            if stat.S_ISSOCK(status.st_mode):
                continue
            fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            xattrs = read_xattrs(fd, name or ".")
            os.close(fd)
            here = os.path.relpath(path, top)
            if not stat.S_ISDIR(status.st_mode):
                inodes.setdefault((status.st_dev, status.st_ino), []).append(here)
            mode = 0 if stat.S_ISLNK(status.st_mode) else stat.S_IMODE(status.st_mode)
            kind = stat.S_IFMT(status.st_mode)
            found[here] = (kind, oct(mode), status.st_uid, status.st_gid, status.st_mtime_ns, contents(path), xattrs)
    return {path: (*facts, *others(path, inodes)) for path, facts in found.items()}


def others(path: str, inodes: dict[tuple[int, int], list[str]]) -> list[str]:
    return next((sorted(paths) for paths in inodes.values() if path in paths), [])


def contents(path: str) -> object:
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            # Of a file with holes not more than half is there; how much exactly is the file system's affair.
            sparse = status.st_size > 1 << 19 and status.st_blocks * 512 < status.st_size // 2
            return status.st_size, sparse, hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    return status.st_rdev
