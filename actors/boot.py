"""From ``scrun create`` to a living container: forks the anchor, has it begin, and waits until it answers.

The anchor is forked before ``create`` knows anything, and imports what all actors need (100 ms) while ``create`` finds
out what the container is; two processors do it in two thirds of the time. What is imported before the first actor is
forked is shared by all of them.
"""

import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable
from typing import Self

from actors.process.forking import close_all_but
from proto import errors, exit_codes
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation

ANSWER_LIMIT = 1 << 16
EARLY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that wait until the anchor has handlers for them: they would end it, or what it was about to do, without a
word. It has its handlers, and unblocks them, some 120 ms after the fork."""
_LENGTH = 4


class Embryo:
    """A process that becomes a container's anchor if it is told of one, and goes with the ``with`` statement if not."""

    def __init__(self) -> None:
        """Fork it: the standard streams are the container's already.

        Raises:
            OSError: there can be no more processes or descriptors.

        """
        self._connection, theirs = socket.socketpair()
        self._begun = False
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, EARLY)
        self._pid = os.fork()
        if self._pid == 0:
            self._connection.close()
            _grow(theirs)
        theirs.close()
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is no container: nothing of this process may be left when ``create`` ends."""
        if not self._begun:
            self._connection.close()
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def begin(
        self, creation: Creation, lock: int, on_anchor: Callable[[int, socket.socket], None], *, starts: bool = False
    ) -> socket.socket:
        """Make it the anchor of this container, and wait until the container is created.

        Args:
            creation: what ``create`` found out.
            lock: descriptor of the container's lock file, locked; every process of the container inherits it.
            on_anchor: called with the anchor's pid and the connection at once; writes the pid file and runs hooks,
                and may look at the answer (``MSG_PEEK``).
            starts: whether this very process will start the container; else it is an engine's, whose child this is.

        Returns:
            The connection with the anchor, which takes its end for the death of ``create`` until it has been sent a
            byte: the caller's last deed.

        Raises:
            ScrunError: the container could not be created; nothing of it is left but its directory, which the
                caller removes.

        """
        connection = self._connection
        words = _packed(creation, os.getpid() if starts else os.getppid(), starts=starts)
        self._begun = True
        try:
            with contextlib.suppress(BrokenPipeError):  # it is dead, and has no answer
                socket.send_fds(connection, [len(words).to_bytes(_LENGTH, "big")], [lock])
                connection.sendall(words)
            on_anchor(self._pid, connection)
            answer = connection.recv(ANSWER_LIMIT).decode(errors="replace")
        except BaseException:
            connection.close()  # the anchor notices, cancels and clears up
            raise
        code, _, sentence = answer.partition("\n")
        if answer and not code:
            return connection
        connection.close()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)
        if not answer:
            log = ContainerPaths(creation.root, creation.id).log
            msg = f"scrun's anchor process ended before the container was created; {log} may say why"
            raise errors.InternalError(msg)
        raise errors.from_wire(code, sentence)


def _packed(creation: Creation, caller: int, *, starts: bool) -> bytes:
    from proto.wire.codec import to_plain
    from proto.wire.msgpack_subset import pack

    return pack([to_plain(creation), caller, starts])


def _unpacked(data: bytes) -> tuple[Creation, int, bool]:
    from proto.wire.codec import from_plain
    from proto.wire.msgpack_subset import unpack

    return from_plain(tuple[Creation, int, bool], unpack(data, len(data)))


def _grow(connection: socket.socket) -> None:
    """In the child: import, and become the anchor if there is to be one; never returns."""
    status = exit_codes.INTERNAL
    try:
        os.setsid()
        os.chdir("/")
        close_all_but({0, 1, 2, connection.fileno()})
        signal.pthread_sigmask(signal.SIG_SETMASK, EARLY)
        with contextlib.suppress(Exception):  # the anchor needs it again, and can say what is wrong
            _import()
        if not (words := _hear(connection)):
            os._exit(0)
        data, lock = words
        status = _anchor(*_unpacked(data), lock, connection)
    finally:
        os._exit(status)


def _hear(connection: socket.socket) -> tuple[bytes, int] | None:
    """The words of ``create`` and the lock's descriptor; ``None`` if it has ended without any."""
    head, locks, _, _ = socket.recv_fds(connection, _LENGTH, 1, socket.MSG_CMSG_CLOEXEC)
    length = int.from_bytes(head, "big")
    data = bytearray()
    while len(data) < length and (part := connection.recv(length - len(data))):
        data += part
    return (bytes(data), locks[0]) if locks and len(data) == length else None


def _anchor(creation: Creation, caller: int, starts: bool, lock: int, answer: socket.socket) -> int:
    """Be the anchor; return its exit status."""
    try:
        return _run(creation, caller, starts, lock, answer)
    except errors.ScrunError as error:
        # Before there is an actor that could say it. The guard clears up.
        answer.send(f"{error.code}\n{error.sentence}".encode())
    except BaseException as error:
        from actors.process.logbook import report_crash

        report_crash(creation, "anchor")
        known = errors.exhausted(error) or errors.InternalError(
            f"scrun's anchor process failed: {type(error).__name__}: {error}"
        )
        with contextlib.suppress(OSError):
            answer.send(f"{known.code}\n{known.sentence}".encode())
    return exit_codes.INTERNAL


def _import() -> None:
    """What anchor and actors need."""
    import ctypes  # noqa: F401

    import msgpack  # noqa: F401
    import pykka  # noqa: F401
    import zmq  # noqa: F401

    from actors.allocation import actor as _allocation  # noqa: F401
    from actors.anchor import engine, guard, loop, start  # noqa: F401
    from actors.signals import actor as _signals  # noqa: F401
    from actors.state import actor as _state  # noqa: F401
    from actors.stdio import actor as _stdio  # noqa: F401


def _run(creation: Creation, caller: int, starts: bool, lock: int, answer: socket.socket) -> int:
    _import()
    from actors.anchor import engine
    from actors.anchor.guard import Guard
    from actors.anchor.loop import Anchor
    from actors.anchor.start import prepare

    journal = _open_journal(creation)
    hold = os.pipe()
    guard = Guard(creation, (lock, hold[1]), journal)
    guard.start()
    descriptors, commands = prepare(creation, journal, hold)
    # Collecting first would take 5 ms; what is garbage now is little, and shared by all.
    gc.freeze()
    gc.enable()
    whose = engine.find(caller, itself=starts)
    return Anchor(creation, descriptors, commands, guard, answer, lock, whose).run()


def _open_journal(creation: Creation) -> int:
    """Make the journal, and return its descriptor: whoever needs the file later inherits that.

    Raises:
        StorageError: it cannot be made.

    """
    try:
        path = ContainerPaths(creation.root, creation.id).journal
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise errors.unwritable(creation.root, error) from None
