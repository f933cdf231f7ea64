"""Moves the bytes of one stream from one descriptor to another, without ever holding one of them.

``splice`` takes bytes out of the source and puts them into the target in one system call, which SIGKILL
cannot cut in two: whoever is forked next goes on with the same two descriptors, and nothing is lost or
repeated. Where the kernel cannot splice into the target (files with ``O_APPEND``, terminals of some kernels,
file systems without ``splice_write``) it says EINVAL. Then, and on standard error, where lines of Slurm's are taken out
(``slurms_words``), bytes are read and written: ``COPY_CHUNK`` of them at most are in this process, between two system
calls or as long as the target is full, and are lost if it is killed just then.

**It never blocks, and sets no flag on what it was given**: ``O_NONBLOCK`` belongs to the open file
description, which the engine shares. Instead:

* Pipes, at either end: ``SPLICE_F_NONBLOCK``.
* A source that is a socket: only after POLLIN; no other process reads it.
* A target that is a socket: the flag does not reach it, ``splice`` would wait for room. So only after POLLOUT,
  which promises three quarters of a Unix socket's send buffer, and at most a quarter of it at once.
* A target that is a terminal: one stopped by ^S would block us. It is opened anew with ``O_NONBLOCK``, as a
  description of our own; if that is refused (another user's), at most ``COPY_CHUNK`` at once after POLLOUT. The same
  holds for a pipe that gets more than ``COPY_CHUNK`` at once. What does not block already is left as it is: a new
  description of a pty's master would be another pty.
* Files block no longer than their disk, /dev/null never.

**It never spins.** ``wants`` names what to wait for: the source, or the target when that is full. A source
whose writers are gone reports POLLHUP for ever, so it is not polled while the target is waited for; a target
without a reader reports POLLERR unasked, and is polled beside the source, so that its loss is noticed while
nothing flows.

**Measured** with Slurm 22.05 on two busy CPUs: srun moves 4 KiB at a time, 50 to 115 MiB/s out and 125 in, and
is what limits the flow; with this mover behind it 50 to 70 out and 100 to 130 in, at 2 s of CPU for each GiB.
Alone, the mover does 1.3 GiB/s through pipes of 64 KiB, more than ``cat``. Of its own accord srun reads some
6 MB of stdin ahead of the program. When srun's reader is gone (EPIPE) it drops what comes and keeps the exit
code; it ends its standard output only by exiting, even if the program closed its own before.
"""

import errno
import os
import select
import stat

from proto.value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Sift(Protocol):
        """See ``slurms_words.sift``."""

        def __call__(self, data: bytes, *, more: bool) -> tuple[bytes, bytes]:
            """What passes, and what is kept until more is there."""


SPLICE_CHUNK = 1 << 20
COPY_CHUNK = 4096

# The far end is gone, or takes nothing any more; the container must not be stopped by that.
_TARGET_ERRORS = frozenset({
    errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.EIO, errno.ENXIO,
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS,
})  # fmt: skip


class State:
    """Where a stream is, in words; it goes down this list only. (No ``Enum``, whose import takes 5 ms of ``exec``.)"""

    FLOWING = "flowing"
    TARGET_GONE = "target gone"  # it takes nothing any more; what comes is thrown away, if draining is asked for
    ENDED = "ended"  # end-of-file of the source: close the target


class Moved(Value):
    """What one step did: bytes that reached the target, and the state after it."""

    count: int
    state: str


class Stream:
    """One direction of one stream.

    Call ``wants``, poll for that, then ``step``; calling ``step`` without need does no harm. The descriptors
    stay the caller's. SIGPIPE must be ignored, as Python does by itself.

    Attributes:
        name: for the tap: ``stdin``, ``stdout`` or ``stderr``.
        moved: bytes that reached the target.
        dropped: bytes thrown away since the target was gone.
        state: see ``State``.
        cause: errno that ended the target, or 0.
        copying: ``splice`` is refused by the target, bytes are copied.

    """

    def __init__(
        self,
        source_fd: int,
        target_fd: int,
        name: str,
        *,
        drain: bool = True,
        sift: "Sift | None" = None,
        chunk: int = COPY_CHUNK,
        moved: int = 0,
    ) -> None:
        """Prepare; nothing moves yet.

        Args:
            source_fd: a pipe, a stream socket or a terminal.
            target_fd: a pipe, stream socket, file, terminal or /dev/null; a pipe if the source is a socket.
            name: of the stream.
            drain: whether to go on reading when the target is gone: yes for output, so that the container is
                not stopped by a full pipe; no for stdin, where what the program does not read stays with the engine.
            sift: takes something out of what passes, which is copied then: see ``slurms_words``.
            chunk: bytes that are copied at once, where they are copied, and that this process may hold.
            moved: bytes that have reached the target before.

        Raises:
            ValueError: neither end is a pipe or a terminal, so that ``splice`` cannot work.

        """
        source_mode, target_mode = os.fstat(source_fd).st_mode, os.fstat(target_fd).st_mode
        terminal = stat.S_ISCHR(source_mode) and os.isatty(source_fd)
        if not (stat.S_ISFIFO(source_mode) or stat.S_ISFIFO(target_mode) or terminal):
            raise ValueError(f"{name}: neither end is a pipe")
        self.name = name
        self.moved = moved
        self.dropped = 0
        self.state = State.FLOWING
        self.cause = 0
        self.copying = sift is not None or terminal
        self._sift = sift
        self._kept = b""
        self._source = source_fd
        self._target = target_fd
        self._drain = drain and (terminal or stat.S_ISFIFO(source_mode))  # a socket cannot be spliced to /dev/null
        self._await_target = False
        self._held = b""
        self._owned: int | None = None
        self._chunk = SPLICE_CHUNK
        self._copied = chunk
        self._source_is_socket = not stat.S_ISFIFO(source_mode)
        # Between two pipes splice itself never blocks: no need to poll again what the caller has polled.
        self._ask_first = self.copying or not (stat.S_ISFIFO(source_mode) and stat.S_ISFIFO(target_mode))
        # What can report the loss of its reader; files and /dev/null cannot, and epoll refuses them.
        self._watchable = stat.S_ISFIFO(target_mode) or stat.S_ISSOCK(target_mode)
        if stat.S_ISSOCK(target_mode):
            self._chunk = _send_buffer(target_fd) // 4
            self._copied = min(chunk, self._chunk)
        elif stat.S_ISCHR(target_mode) and os.isatty(target_fd):
            self._watchable = True
            self._own_target()
        elif stat.S_ISFIFO(target_mode) and self.copying and chunk > COPY_CHUNK:
            self._own_target()

    def _own_target(self) -> None:
        if not os.get_blocking(self._target):
            return
        try:
            self._owned = self._target = os.open(
                f"/proc/self/fd/{self._target}", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
            )
        except OSError:
            self._chunk = self._copied = COPY_CHUNK

    def wants(self) -> list[tuple[int, int]]:
        """What to poll before the next step; empty when there is nothing more to do.

        A mask of 0 is meant: POLLERR and POLLHUP come unasked, with ``select.poll`` and epoll.
        (``zmq.Poller`` takes 0 for "unregister": give it ``zmq.POLLERR``.)
        """
        if self.state is State.ENDED or (self.state is State.TARGET_GONE and not self._drain):
            return []
        if self.state is State.TARGET_GONE:
            return [(self._source, select.POLLIN)]
        if self._await_target:
            return [(self._target, select.POLLOUT)]
        if self._watchable:
            return [(self._source, select.POLLIN), (self._target, 0)]
        return [(self._source, select.POLLIN)]

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do before the source has something or the target goes."""
        return not (self._held or self._kept or self._await_target)

    @property
    def pending(self) -> bool:
        """Whether there are bytes in this process that the target has not taken."""
        return bool(self._held)

    def step(self) -> Moved:
        """Move one chunk, if the source has something and the target has room for it."""
        if not self.wants():
            return Moved(0, self.state)
        before = self.moved
        if self.state is State.TARGET_GONE:
            self._throw_away()
        elif not self._ask_first and self._move():
            pass
        else:
            self._look()
        return Moved(self.moved - before, self.state)

    def _look(self) -> None:
        """Find out what to wait for, and move where that is safe only with both ends ready."""
        poll = select.poll()
        poll.register(self._source, select.POLLIN)
        poll.register(self._target, select.POLLOUT)
        ready = dict(poll.poll(0))
        if self._kept and not ready.get(self._source, 0):
            self._held, self._kept = self._held + self._kept, b""  # it was no beginning: nothing follows
        at_target = ready.get(self._target, 0)
        if at_target & (select.POLLERR | select.POLLHUP):
            self._lose_target(errno.EPIPE)
        elif not self._held and not ready.get(self._source, 0):
            self._await_target = False
        elif not at_target & select.POLLOUT or not self._ask_first or not self._move():
            # Either no room, or a little, but less than what this chunk needs.
            self._await_target = True

    def close(self) -> None:
        """Give back what the stream opened itself; the descriptors given to it stay open."""
        if self._owned is not None:
            os.close(self._owned)
            self._owned = None
        self.state = State.ENDED

    def _move(self) -> bool:
        """Move one chunk or come to an end; False if one of the ends was not ready."""
        try:
            count = self._copy() if self.copying else self._splice()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno == errno.ECONNRESET and self._source_is_socket:
                self.state = State.ENDED
            elif error.errno in _TARGET_ERRORS:
                self._lose_target(error.errno)
            else:
                raise
            return True
        if count is None:
            self.state = State.ENDED
        else:
            self.moved += count
            self._await_target = bool(self._held)
        return True

    def _splice(self) -> int | None:
        try:
            return os.splice(self._source, self._target, self._chunk, flags=os.SPLICE_F_NONBLOCK) or None
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
        self.copying = True
        return self._copy()

    def _copy(self) -> int | None:
        if not self._held:
            # step() has seen POLLIN or POLLHUP: this read does not block.
            data = self._read()
            if not data and not self._kept:
                return None
            self._held = self._sifted(data)
            if not self._held:
                return 0
        # (what had been kept may have made it longer)
        count = os.write(self._target, self._held[: self._copied])
        self._held = self._held[count:]
        return count

    def _read(self) -> bytes:
        try:
            return os.read(self._source, self._copied)
        except OSError as error:
            if error.errno == errno.EIO and not stat.S_ISFIFO(os.fstat(self._source).st_mode):
                return b""  # the other side of a terminal is closed
            raise

    def _sifted(self, data: bytes) -> bytes:
        if self._sift is None:
            return data
        passed, self._kept = self._sift(self._kept + data, more=len(data) == self._copied)
        return passed

    def _lose_target(self, cause: int) -> None:
        self.state = State.TARGET_GONE
        self.cause = cause
        self.dropped += len(self._held) + len(self._kept)
        self._held = self._kept = b""
        self._await_target = False

    def _throw_away(self) -> None:
        if self.copying:
            data = self._read()
            self.dropped += len(self._sifted(data))
            self.state = self.state if data else State.ENDED
            return
        with open(os.devnull, "wb", buffering=0) as null:
            try:
                count = os.splice(self._source, null.fileno(), SPLICE_CHUNK, flags=os.SPLICE_F_NONBLOCK)
            except BlockingIOError:
                return
        if count:
            self.dropped += count
        else:
            self.state = State.ENDED


def _send_buffer(fd: int) -> int:
    import socket  # 3 ms, which ``exec`` has seldom use for

    with socket.socket(fileno=os.dup(fd)) as peer:
        return max(peer.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF), 4 * COPY_CHUNK)
