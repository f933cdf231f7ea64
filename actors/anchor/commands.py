"""Commands of Slurm (and hooks): children of the anchor, so that no actor's death loses one or its status.

A name is started once in the life of the container. Whoever asks for it again hears the pid and, once it has
ended, the status: that is how a replaced actor finds its command again.
"""

import contextlib
import os

from actors.process.command import CommandName
from actors.process.spawning import spawn
from proto.exit_codes import NOT_FOUND
from proto.life.talk import Spawn

from .descriptors import Descriptors, open_log

ANSWER = 4096
"""Bytes for which an answer must find room; complaints, of which there may be as many as signals, keep none."""


class Started:
    """One started command. ``owner``: the actor that asked for it last. ``status``: wait status, once ended."""

    __slots__ = ("name", "owner", "pid", "status")

    def __init__(self, name: str, pid: int, owner: str, status: int | None) -> None:
        self.name = name
        self.pid = pid
        self.owner = owner
        self.status = status


class CommandTable:
    """The table of commands."""

    def __init__(self, descriptors: Descriptors, mark: bytes) -> None:
        """Args:
        descriptors: the anchor's.
        mark: ``K=V``, put into the environment of every command: the guard finds left-over ones by it.
        """
        self._descriptors = descriptors
        self._mark = mark
        self._by_name: dict[str, Started] = {}

    def spawn(self, request: Spawn, owner: str) -> Started:
        """Start a command, or return the one of that name."""
        command = self._by_name.get(request.name)
        if command is None:
            pid = self._start(request)
            command = Started(request.name, pid, owner, None if pid else NOT_FOUND << 8)
            self._by_name[request.name] = command
        command.owner = owner
        return command

    def reaped(self, pid: int, status: int) -> Started | None:
        """Record the end of a child; None if it is no command."""
        for command in self._by_name.values():
            if command.pid == pid and command.status is None:
                command.status = status
                return command
        return None

    def signal(self, name: str, signum: int) -> None:
        """Send a signal to a command's process group, or to its last attempt's; an ended or unknown one is no error."""
        wanted = CommandName.parse(name)
        for command in self.running():
            if command.pid and CommandName.parse(command.name).is_of(wanted):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(command.pid, signum)

    def running(self) -> list[Started]:
        """The commands that have not ended."""
        return [command for command in self._by_name.values() if command.status is None]

    def _start(self, request: Spawn) -> int:
        files: dict[int, int] = {}
        opened: list[int] = []
        try:
            for number, source in request.stdio.items():
                if source.startswith("/"):
                    files[int(number)] = _open(source, int(number))
                    opened.append(files[int(number)])
                else:
                    files[int(number)] = self._descriptors.number(source)
            environ, directory = (*request.env, self._mark), os.fsencode(request.cwd or "/")
            return spawn(request.argv, environ, files, directory=directory, session=request.terminal)
        except (OSError, KeyError) as error:
            if 2 in files:
                with contextlib.suppress(OSError):
                    os.write(files[2], f"scrun: cannot start {request.argv[0]!r}: {error}\n".encode())
            return 0
        finally:
            for fd in opened:
                os.close(fd)


def _open(path: str, number: int) -> int:
    """A file for a command's words.

    An answer for which there is no room must not be taken for an empty one: the command fails before it has begun.
    Complaints may be lost: what only acts does it without them.

    Raises:
        OSError: the answer could not be kept.

    """
    try:
        return open_log(path, ANSWER if number == 1 else 0)
    except OSError:
        if number == 1:
            raise
        return os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
