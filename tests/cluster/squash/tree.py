"""A directory of this machine, offered as an NFS server with ``root_squash`` offers it.

Whoever asks, the kernel's own rules decide, for each request is carried out with the asker's user and group id on the
file system (setfsuid(2)), as knfsd does it; where the asker is root, with those of nobody. What capabilities the
asker has, in a user namespace or outside of one, does not matter. His supplementary groups do not count.
"""

from __future__ import annotations

import ctypes
import errno
import os
from typing import TYPE_CHECKING

from tests.cluster.squash import wire
from tests.cluster.squash.nodes import Nodes, act_as

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cluster.squash.wire import Request

_libc = ctypes.CDLL(None, use_errno=True)


class Tree:
    """What can be asked of it, one method for each."""

    def __init__(self, top: str) -> None:
        self._nodes = Nodes(top)
        self._listings: dict[int, list[tuple[bytes, int]]] = {}
        # By the numbers of linux/fuse.h. Of a file, found by its name:
        self._named: dict[int, Callable[[Request], bytes]] = {
            3: self._getattr, 4: self._setattr, 5: self._readlink, 6: self._symlink, 8: self._mknod, 9: self._mkdir,
            10: self._unlink, 11: self._rmdir, 12: self._rename, 13: self._link, 14: self._open,
            27: self._open_directory, 34: self._access, 35: self._create,
        }  # fmt: skip
        # Of what is open already, or of nothing in particular:
        self._held: dict[int, Callable[[Request], bytes]] = {
            1: self._lookup, 15: self._read, 16: self._write, 17: self._statfs, 18: self._release, 20: self._fsync,
            26: wire.hello, 28: self._read_directory, 29: self._release, 43: self._allocate,
        }  # fmt: skip
        self._quiet: dict[int, Callable[[Request], None]] = {
            2: self._forget, 36: self._interrupt, 42: self._forget_many,
        }  # fmt: skip

    def answer(self, asked: Request) -> bytes:
        """Do what is asked.

        Returns:
            the answer for the kernel; empty where it wants none.

        """
        if quiet := self._quiet.get(asked.opcode):
            quiet(asked)
            return b""
        act_as(asked.asker)
        try:
            return wire.answer(asked.unique, 0, self._do(asked))
        except OSError as error:
            return wire.answer(asked.unique, error.errno or errno.EIO)
        finally:
            act_as(None)

    def _do(self, asked: Request) -> bytes:
        if held := self._held.get(asked.opcode):
            return held(asked)
        if named := self._named.get(asked.opcode):
            self._nodes.refuse_stranger(asked.node, asked.asker)
            return named(asked)
        # The kernel does without, and does not ask again. So extended attributes are refused.
        raise OSError(errno.ENOSYS, "")

    # ---- names

    def _forget(self, asked: Request) -> None:
        self._nodes.forget(asked.node, *asked.words("Q"))

    def _forget_many(self, asked: Request) -> None:
        count, _ = asked.words("2I")
        words = asked.words(f"2I{2 * count}Q")[2:]
        for node, times in zip(words[::2], words[1::2], strict=True):
            self._nodes.forget(node, times)

    def _interrupt(self, asked: Request) -> None:
        """Nothing here takes long."""

    def _entry(self, asked: Request, name: bytes) -> bytes:
        node = self._nodes.find(asked.node, name, asked.asker)
        return wire.entry(node, self._nodes.status(node))

    def _lookup(self, asked: Request) -> bytes:
        return self._entry(asked, *asked.names())

    def _symlink(self, asked: Request) -> bytes:
        name, target = asked.names()
        os.symlink(target, name, dir_fd=self._nodes.path(asked.node))
        return self._entry(asked, name)

    def _mknod(self, asked: Request) -> bytes:
        mode, device, _, _ = asked.words("4I")
        (name,) = asked.names(16)
        os.mknod(name, mode, device, dir_fd=self._nodes.path(asked.node))
        return self._entry(asked, name)

    def _mkdir(self, asked: Request) -> bytes:
        mode, _ = asked.words("2I")
        (name,) = asked.names(8)
        os.mkdir(name, mode, dir_fd=self._nodes.path(asked.node))
        return self._entry(asked, name)

    def _unlink(self, asked: Request) -> bytes:
        os.unlink(*asked.names(), dir_fd=self._nodes.path(asked.node))
        return b""

    def _rmdir(self, asked: Request) -> bytes:
        os.rmdir(*asked.names(), dir_fd=self._nodes.path(asked.node))
        return b""

    def _rename(self, asked: Request) -> bytes:
        (to,) = asked.words("Q")
        old, new = asked.names(8)
        os.rename(old, new, src_dir_fd=self._nodes.path(asked.node), dst_dir_fd=self._nodes.path(to))
        return b""

    def _link(self, asked: Request) -> bytes:
        (node,) = asked.words("Q")
        (name,) = asked.names(8)
        os.link(self._nodes.way(node), name, dst_dir_fd=self._nodes.path(asked.node), follow_symlinks=True)
        return self._entry(asked, name)

    # ---- attributes

    def _getattr(self, asked: Request) -> bytes:
        return wire.attributes_now(self._nodes.status(asked.node))

    def _setattr(self, asked: Request) -> bytes:
        wanted = wire.changes(asked)
        way = self._nodes.way(asked.node)
        if wanted.valid & (wire.UID | wire.GID):
            uid = wanted.uid if wanted.valid & wire.UID else -1
            os.chown(way, uid, wanted.gid if wanted.valid & wire.GID else -1)
        if wanted.valid & wire.MODE:
            os.chmod(way, wanted.mode & 0o7777)
        if wanted.valid & wire.SIZE:
            os.truncate(wanted.handle if wanted.valid & wire.HANDLE else way, wanted.size)
        if wanted.valid & (wire.ATIME | wire.MTIME):
            self._set_times(asked.node, wanted)
        return self._getattr(asked)

    def _set_times(self, node: int, wanted: wire.Changes) -> None:
        way = self._nodes.way(node)
        if wanted.valid & wire.ATIME_NOW and wanted.valid & wire.MTIME_NOW:
            os.utime(way)  # who may write may do that
            return
        now = self._nodes.status(node)
        atime = wanted.atime if wanted.valid & wire.ATIME else now.st_atime_ns
        mtime = wanted.mtime if wanted.valid & wire.MTIME else now.st_mtime_ns
        os.utime(way, ns=(atime, mtime))

    def _readlink(self, asked: Request) -> bytes:
        return os.readlink(b"", dir_fd=self._nodes.path(asked.node))

    def _access(self, asked: Request) -> bytes:
        mask, _ = asked.words("2I")
        if not os.access(self._nodes.way(asked.node), mask, effective_ids=True):
            raise PermissionError(errno.EACCES, "")
        return b""

    def _statfs(self, asked: Request) -> bytes:
        return wire.capacity(os.fstatvfs(self._nodes.path(asked.node)))

    # ---- contents

    def _open(self, asked: Request) -> bytes:
        flags, _ = asked.words("2I")
        return wire.opened(os.open(self._nodes.way(asked.node), flags & ~(os.O_NOFOLLOW | os.O_APPEND)))

    def _create(self, asked: Request) -> bytes:
        flags, mode, _, _ = asked.words("4I")
        (name,) = asked.names(16)
        handle = os.open(name, flags & ~os.O_APPEND | os.O_CREAT, mode, dir_fd=self._nodes.path(asked.node))
        return self._entry(asked, name) + wire.opened(handle)

    def _read(self, asked: Request) -> bytes:
        handle, offset, size = asked.words("QQI")
        return os.pread(handle, size, offset)

    def _write(self, asked: Request) -> bytes:
        handle, offset, size = asked.words("QQI")
        return os.pwrite(handle, asked.body[40 : 40 + size], offset).to_bytes(8, "little")

    def _fsync(self, asked: Request) -> bytes:
        os.fsync(*asked.words("Q"))
        return b""

    def _allocate(self, asked: Request) -> bytes:
        handle, offset, length, mode, _ = asked.words("3Q2I")
        if _libc.fallocate(handle, mode, ctypes.c_long(offset), ctypes.c_long(length)):
            raise OSError(ctypes.get_errno(), "")
        return b""

    def _open_directory(self, asked: Request) -> bytes:
        return wire.opened(os.open(self._nodes.way(asked.node), os.O_RDONLY | os.O_DIRECTORY))

    def _read_directory(self, asked: Request) -> bytes:
        handle, offset, room = asked.words("QQI")
        if not offset:
            with os.scandir(handle) as found:
                names = [(os.fsencode(one.name), one.inode()) for one in found]
            here = os.fstat(handle).st_ino
            self._listings[handle] = [(b".", here), (b"..", here), *names]
        return wire.listing(self._listings[handle], offset, room)

    def _release(self, asked: Request) -> bytes:
        (handle,) = asked.words("Q")
        self._listings.pop(handle, None)
        os.close(handle)
        return b""
