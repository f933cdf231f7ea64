"""Finds ``process.args[0]`` in a container's root file system, without ever leaving it.

``create`` must fail at once, in the engines' words, when the program is not in the image: those words decide
whether podman and docker exit with 127 or 126. The module is on the path of a verb and imports ``os`` and
``stat`` only.
"""

import os
import stat
from collections.abc import Mapping

from proto.errors import ProgramNotExecutableError, ProgramNotFoundError
from proto.host.paths import DEFAULT_PATH

from .image_path import LINK_LIMIT

_Undecidable = (PermissionError, NotImplementedError)


def find_program(
    rootfs: str | bytes,
    args0: bytes,
    env_path: bytes = b"",
    cwd: bytes = b"/",
    mounts: Mapping[bytes, bytes] | None = None,
) -> bytes:
    """Return the path in the container by which ``args0`` can be executed there.

    Args:
        rootfs: the container's root file system on this host.
        args0: first word of ``process.args``.
        env_path: the container's ``PATH``; empty for the runtimes' default.
        cwd: ``process.cwd``, for relative names.
        mounts: destination to source of config.json's bind mounts; an empty source stands for a mount whose
            contents cannot be known here (tmpfs, proc).

    Returns:
        The path, or nothing where it cannot be decided: the root file system, or a directory on the way,
        cannot be read here, or lies on a mount of unknown contents.

    Raises:
        ProgramNotFoundError: there is no such program.
        ProgramNotExecutableError: there is something, but not something that can be executed.

    """
    tree = _Tree(os.fsencode(rootfs), mounts or {})
    name = os.fsdecode(args0)
    try:
        os.scandir(tree.root).close()
    except OSError:
        return b""
    try:
        if b"/" in args0:
            return _check(tree, _join(cwd, args0), name)
        return _search(tree, args0, env_path or DEFAULT_PATH.encode(), cwd, name)
    except _Undecidable:
        return b""


def _check(tree: "_Tree", path: bytes, name: str) -> bytes:
    try:
        mode = tree.mode(path)
    except PermissionError:
        raise
    except OSError:
        raise ProgramNotFoundError(f'exec: "{name}": stat {name}: no such file or directory') from None
    _demand_executable(mode, name)
    return path


def _search(tree: "_Tree", args0: bytes, env_path: bytes, cwd: bytes, name: str) -> bytes:
    refused = 0
    if args0 not in {b"", b".", b".."}:
        for directory in env_path.split(b":"):
            path = _join(_join(cwd, directory), args0)
            try:
                mode = tree.mode(path)
            except PermissionError:
                raise
            except OSError:
                continue
            if stat.S_ISREG(mode) and mode & 0o111:
                return path
            if stat.S_ISREG(mode):
                refused = mode
    if refused:
        _demand_executable(refused, name)
    raise ProgramNotFoundError(f'exec: "{name}": executable file not found in $PATH')


def _demand_executable(mode: int, name: str) -> None:
    # The mode and not access(2): the container's user is not the one who asks here.
    if stat.S_ISDIR(mode):
        # (docker 20 makes 126 of "permission denied" only)
        raise ProgramNotExecutableError(f'exec: "{name}": permission denied: is a directory')
    if not stat.S_ISREG(mode) or not mode & 0o111:
        raise ProgramNotExecutableError(f'exec: "{name}": permission denied')


def _join(base: bytes, path: bytes) -> bytes:
    if path.startswith(b"/"):
        return path
    if path in {b"", b"."}:
        return base
    return base.rstrip(b"/") + b"/" + path


class _Tree:
    """A root file system with its mounts, in which paths are followed as the container would."""

    def __init__(self, root: bytes, mounts: Mapping[bytes, bytes]) -> None:
        self.root = root
        self._mounts: dict[bytes, bytes] = {}
        for where, source in mounts.items():
            self._mounts[self._mount_point(where)] = source

    def _mount_point(self, where: bytes) -> bytes:
        # Links on the way are the container's: /sbin of many images is one, and docker's init is mounted there.
        parts = _parts(where)
        try:
            parts[:-1] = self._walk(b"/".join(parts[:-1]))[0]
        except (OSError, NotImplementedError):
            pass
        return b"/" + b"/".join(parts)

    def mode(self, path: bytes) -> int:
        """Mode of what ``path`` finally names.

        Raises:
            OSError: it does not exist, or the links on the way make a loop.
            PermissionError: a directory on the way cannot be read here.
            NotImplementedError: the path leads onto a mount of unknown contents.

        """
        return self._walk(path)[1]

    def _walk(self, path: bytes) -> tuple[list[bytes], int]:
        todo = _parts(path)[::-1]
        done: list[bytes] = []
        links = 0
        mode = stat.S_IFDIR | 0o755
        while todo:
            part = todo.pop()
            if part == b"..":
                done = done[:-1]
                mode = stat.S_IFDIR | 0o755
                continue
            if not stat.S_ISDIR(mode):
                raise NotADirectoryError
            here = self._host([*done, part])
            mode = os.lstat(here).st_mode
            if not stat.S_ISLNK(mode):
                done.append(part)
                continue
            links += 1
            if links > LINK_LIMIT:
                raise OSError
            target = os.readlink(here)
            if target.startswith(b"/"):
                done = []
            todo += _parts(target)[::-1]
            mode = stat.S_IFDIR | 0o755
        return done, mode

    def _host(self, parts: list[bytes]) -> bytes:
        for count in range(len(parts), 0, -1):
            source = self._mounts.get(b"/" + b"/".join(parts[:count]))
            if source is not None:
                if not source:
                    raise NotImplementedError
                # A mount follows its source's links, which belong to the host.
                return b"/".join([os.path.realpath(source), *parts[count:]])
        return b"/".join([self.root, *parts])


def _parts(path: bytes) -> list[bytes]:
    return [part for part in path.split(b"/") if part not in {b"", b"."}]
