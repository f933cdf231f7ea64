"""From ``scrun create`` to a living container: forks the anchor and waits until it answers.

The order matters. The guard is forked before anything is imported (it stays tiny), the job is asked for before
the 50 ms of imports (the grant comes meanwhile), and the imports are done before the first actor is forked (they
are shared by all of them).
"""

import contextlib
import gc
import os
import signal
import socket
from collections.abc import Callable

from proto import errors, exit_codes
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation

ANSWER_LIMIT = 1 << 16
EARLY = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""Signals that wait until the anchor has handlers for them: they would end it, or what it was about to do, without a
word. It has its handlers, and unblocks them, some 100 ms after the fork."""


def start(
    creation: Creation, lock: int, on_anchor: Callable[[int, socket.socket], None], *, starts: bool = False
) -> socket.socket:
    """Fork the anchor and wait until the container is created.

    Args:
        creation: what ``create`` found out.
        lock: descriptor of the container's lock file, locked; every process of the container inherits it.
        on_anchor: called with the anchor's pid and the connection right after the fork; writes the pid file and runs
            hooks, and may look at the answer (``MSG_PEEK``).
        starts: whether this very process will start the container; else it is an engine's, whose child this is.

    Returns:
        The connection with the anchor, which takes its end for the death of ``create`` until it has been sent a
        byte: the caller's last deed.

    Raises:
        ScrunError: the container could not be created; nothing of it is left but its directory, which the
            caller removes.

    """
    ours, theirs = socket.socketpair()
    caller = os.getpid() if starts else os.getppid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, EARLY)
    pid = os.fork()
    if pid == 0:
        ours.close()
        _anchor(creation, lock, theirs, caller, starts=starts)
    theirs.close()
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    try:
        on_anchor(pid, ours)
        answer = ours.recv(ANSWER_LIMIT).decode(errors="replace")
    except BaseException:
        ours.close()  # the anchor notices, cancels and clears up
        raise
    code, _, sentence = answer.partition("\n")
    if answer and not code:
        return ours
    ours.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
    if not answer:
        log = ContainerPaths(creation.root, creation.id).log
        msg = f"scrun's anchor process ended before the container was created; {log} may say why"
        raise errors.InternalError(msg)
    raise errors.from_wire(code, sentence)


def _anchor(creation: Creation, lock: int, answer: socket.socket, caller: int, *, starts: bool) -> None:
    """In the child: become the anchor; never returns."""
    status = exit_codes.INTERNAL
    try:
        os.setsid()
        os.chdir("/")
        signal.pthread_sigmask(signal.SIG_SETMASK, EARLY)
        status = _run(creation, lock, answer, caller, starts=starts)
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
    os._exit(status)


def _run(creation: Creation, lock: int, answer: socket.socket, caller: int, *, starts: bool) -> int:
    from actors.anchor.guard import Guard

    journal = _open_journal(creation)
    hold = os.pipe()
    guard = Guard(creation, (lock, hold[1]), journal)
    guard.fork()

    from actors.anchor.start import prepare

    descriptors, commands = prepare(creation, journal, hold, lock, answer.fileno(), guard.fileno())

    import ctypes  # noqa: F401

    import msgpack  # noqa: F401
    import pykka  # noqa: F401
    import zmq  # noqa: F401

    from actors.allocation import actor as _allocation  # noqa: F401
    from actors.anchor import engine
    from actors.anchor.loop import Anchor
    from actors.signals import actor as _signals  # noqa: F401
    from actors.staging import actor as _staging  # noqa: F401
    from actors.state import actor as _state  # noqa: F401
    from actors.stdio import actor as _stdio  # noqa: F401

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
