"""Hashes a tree by all that is in it: names, kinds, modes, owners, extended attributes, contents.

Times of directories, links and empty files are left out: engines make such things anew for each container. The times
of other files count, since programs look at them.
"""

import hashlib
import os
import stat
from collections.abc import Iterator

from .descent import Descent, Names
from .memory import ContentMemory

_CHUNK = 1 << 20
_NOT_OURS = ("overlay.origin", "overlay.impure", "overlay.nlink", "overlay.uuid")
"""What the kernel notes in an upper directory for itself."""

Entry = tuple[bytes, os.stat_result]


def hash_tree(root: str, memory: ContentMemory, scope: str, *, owners: bool) -> tuple[str, int]:
    """Hash a tree.

    What this process may not read cannot be copied, either, and does not count. But a file that it owns and may not
    read can be copied, so a tree with such a one in it is like no other.

    Args:
        root: a directory; what is mounted below it counts as empty.
        memory: of contents that were hashed before.
        scope: name of the file system for the memory; see there.
        owners: whether it matters whom files belong to.

    Returns:
        The hash, and the number of entries that are in the tree.

    Raises:
        OSError: the tree cannot be read at all, or changed meanwhile.

    """
    digest = hashlib.sha256()
    count = -1  # the root itself
    links: dict[tuple[int, int], bytes] = {}
    for here, directory, entries in _directories(root):
        for name, status in entries:
            path = here + b"/" + name
            words = _words(directory, name, status, owners=owners)
            digest.update(b"%d %b %d %b" % (len(path), path, len(words), words))
            if stat.S_ISREG(status.st_mode):
                if status.st_nlink > 1:
                    digest.update(links.setdefault((status.st_dev, status.st_ino), path) + b"\0")
                digest.update(_contents(directory, name, status, memory, scope))
            count += 1
    memory.save()
    return digest.hexdigest(), count


def hash_root(root: str, *, owners: bool) -> bytes:
    """Mode, owner and extended attributes of a tree's root."""
    directory = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _words(directory, b".", os.fstat(directory), owners=owners)
    finally:
        os.close(directory)


def _directories(root: str) -> Iterator[tuple[bytes, int, list[Entry]]]:
    """Each directory of a tree: its path, a descriptor, and what is in it by name; the root with itself as ``.``."""
    descent = Descent(root)
    top = os.fstat(descent.to(()))
    todo: list[tuple[Names, os.stat_result]] = [((), top)]
    try:
        while todo:
            names, status = todo.pop()
            if status.st_dev != top.st_dev:
                continue  # something is mounted there
            try:
                directory = descent.to(names)
                found = sorted(os.fsencode(name) for name in os.listdir(directory))
            except PermissionError:
                continue
            entries = [(name, os.stat(name, dir_fd=directory, follow_symlinks=False)) for name in found]
            yield b"/".join(names), directory, entries if names else [(b".", top), *entries]
            below = [((*names, name), each) for name, each in entries if stat.S_ISDIR(each.st_mode)]
            todo += reversed(below)
    finally:
        descent.close()


def _words(directory: int, name: bytes, status: os.stat_result, *, owners: bool) -> bytes:
    mode = status.st_mode
    words = b"%o" % mode
    if owners:
        words += b" %d %d" % (status.st_uid, status.st_gid)
    if stat.S_ISLNK(mode):
        words += b" " + os.readlink(name, dir_fd=directory)
    elif stat.S_ISREG(mode) and status.st_size:
        words += b" %d %d" % (status.st_size, status.st_mtime_ns)
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        words += b" %d" % status.st_rdev
    return words + b"\0" + attributes_of(directory, name)


def attributes_of(directory: int, name: bytes) -> bytes:
    """The extended attributes of an entry, in one order, but those in which the kernel notes something for itself."""
    path = b"/proc/self/fd/%d/%b" % (directory, name)
    try:
        names = sorted(os.listxattr(path, follow_symlinks=False))
        kept = [each for each in names if not each.endswith(_NOT_OURS)]
        pairs = [(os.fsencode(each), os.getxattr(path, each, follow_symlinks=False)) for each in kept]
    except OSError:
        return b"?"  # the file system has none, or they are not ours to read and so not to copy
    return b"".join(b"%b %d %b" % (each, len(value), value) for each, value in pairs)


def _contents(directory: int, name: bytes, status: os.stat_result, memory: ContentMemory, scope: str) -> bytes:
    if not status.st_size:
        return b""
    if known := memory.recall(scope, status):
        return known
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except PermissionError:
        return os.urandom(16) if status.st_uid == os.geteuid() else b"unreadable"
    digest = hashlib.sha256()
    with open(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        after = os.fstat(descriptor)
    if _version(after) == _version(status):
        memory.learn(scope, status, digest.digest())
    return digest.digest()


def _version(status: os.stat_result) -> tuple[int, ...]:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
