"""The mover with real descriptors and real deaths."""

import errno
import fcntl
import hashlib
import os
import random
import select
import signal
import socket
import subprocess
import threading
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from actors.process.pipes import make_pipe
from actors.stdio import slurms_words
from actors.stdio.mover import COPY_CHUNK, Moved, State, Stream

pytestmark = pytest.mark.process

DEADLINE = 10.0
BLOCK = random.Random(7).randbytes(1 << 20)


class Descriptors:
    """Closes at the end of the test what is still open."""

    def __init__(self) -> None:
        self.open: set[int] = set()

    def add(self, *fds: int) -> tuple[int, ...]:
        self.open.update(fds)
        return fds

    def pipe(self) -> tuple[int, int]:
        reader, writer = os.pipe()
        self.add(reader, writer)
        return reader, writer

    def sockets(self) -> tuple[int, int]:
        one, two = socket.socketpair()
        fds = one.detach(), two.detach()
        self.add(*fds)
        return fds

    def close(self, *fds: int) -> None:
        for fd in fds:
            os.close(fd)
            self.open.discard(fd)


@pytest.fixture
def fds() -> Iterator[Descriptors]:
    kept = Descriptors()
    yield kept
    kept.close(*kept.open)


def never_blocks(call: Callable[[], Moved]) -> Moved:
    """Run a step; a step that blocks is interrupted and fails the test."""

    def blocked(_signal: int, _frame: object) -> None:
        raise AssertionError("step() blocked")

    before = signal.signal(signal.SIGALRM, blocked)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def polled(stream: Stream, timeout: float = 0) -> list[tuple[int, int]]:
    poll = select.poll()
    for fd, mask in stream.wants():
        poll.register(fd, mask)
    return poll.poll(timeout * 1000)


def run(stream: Stream, until: Callable[[], bool] | None = None) -> None:
    """The actor's loop: poll for what is wanted, step, until the stream wants nothing or the condition holds."""
    end = time.monotonic() + DEADLINE
    while stream.wants() and not (until and until()):
        assert time.monotonic() < end, "the stream does not come to an end"
        if polled(stream, 0.1):
            never_blocks(stream.step)


def fill(fd: int) -> int:
    """Write until there is no room; through a description of its own, so that no flag is left behind."""
    count = 0
    if os.path.exists(f"/proc/self/fd/{fd}") and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
        with socket.socket(fileno=os.dup(fd)) as peer:
            while True:
                try:
                    count += peer.send(BLOCK[:4096], socket.MSG_DONTWAIT)
                except BlockingIOError:
                    return count
    again = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            count += os.write(again, BLOCK[:4096])
    except BlockingIOError:
        return count
    finally:
        os.close(again)


SOURCES = ["pipe", "socket"]
PAIRS = [("pipe", "pipe"), ("pipe", "socket"), ("socket", "pipe")]


def pair(fds: Descriptors, kind: str) -> tuple[int, int]:
    """A connection, ``(end to read, end to write)``."""
    return fds.pipe() if kind == "pipe" else fds.sockets()


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_bytes_pass_and_the_end_is_reported(fds: Descriptors, source: str, target: str) -> None:
    read_in, write_in = pair(fds, source)
    read_out, write_out = pair(fds, target)
    stream = Stream(read_in, write_out, "stdout")
    os.write(write_in, b"hello")
    assert never_blocks(stream.step) == Moved(5, State.FLOWING)
    assert os.read(read_out, 100) == b"hello"
    os.write(write_in, b"bye")
    fds.close(write_in)
    run(stream)
    assert (stream.state, stream.moved, stream.copying) == (State.ENDED, 8, False)
    fds.close(write_out)
    assert [os.read(read_out, 100), os.read(read_out, 100)] == [b"bye", b""]


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_empty_source_is_waited_for(fds: Descriptors, source: str, target: str) -> None:
    read_in, write_in = pair(fds, source)
    _, write_out = pair(fds, target)
    stream = Stream(read_in, write_out, "stdout")
    for _ in range(3):
        assert never_blocks(stream.step) == Moved(0, State.FLOWING)
        assert polled(stream) == []
    os.write(write_in, b"x")
    assert polled(stream) == [(read_in, select.POLLIN)]


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("ended", [False, True])
def test_a_full_target_is_waited_for_without_spinning(fds: Descriptors, source: str, target: str, ended: bool) -> None:
    read_in, write_in = pair(fds, source)
    read_out, write_out = pair(fds, target)
    filled = fill(write_out)
    os.write(write_in, b"more")
    if ended:
        fds.close(write_in)  # from now on the source reports POLLHUP for ever
    stream = Stream(read_in, write_out, "stdout")
    for _ in range(3):
        assert never_blocks(stream.step) == Moved(0, State.FLOWING)
        assert stream.wants() == [(write_out, select.POLLOUT)]
        assert polled(stream) == []
    seen = b""
    while len(seen) < filled:
        seen += os.read(read_out, 1 << 20)
    assert polled(stream) == [(write_out, select.POLLOUT)]
    run(stream, until=lambda: stream.moved == 4)
    assert os.read(read_out, 100) == b"more"


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_backpressure_never_blocks_a_step(fds: Descriptors, source: str, target: str) -> None:
    """Each step has a full source and a little room: the writer writes all it can, the reader reads little."""
    read_in, write_in = pair(fds, source)
    read_out, write_out = pair(fds, target)
    stream = Stream(read_in, write_out, "stdout")
    sent, got = 0, 0
    choose = random.Random(3)
    for _ in range(400):
        sent += fill(write_in)
        never_blocks(stream.step)
        if got < stream.moved:
            got += len(os.read(read_out, choose.choice([1, 100, 4096, 5000, 30000])))
    assert got <= stream.moved <= sent
    assert stream.moved > 400 * 1000


def test_a_large_source_does_not_overfill_a_socket(fds: Descriptors) -> None:
    """splice to a socket waits for room whatever its flags say: what fits must be known before."""
    read_in, write_in = fds.add(*make_pipe(1 << 20))
    read_out, write_out = fds.sockets()
    count = fill(write_in)
    fds.close(write_in)
    stream = Stream(read_in, write_out, "stdout")
    while stream.wants() == [(read_in, select.POLLIN), (write_out, 0)]:
        never_blocks(stream.step)
    assert 0 < stream.moved < count
    got = 0
    while got < count:
        got += len(os.read(read_out, 1 << 16))
        never_blocks(stream.step)
    assert stream.moved == count


@pytest.mark.parametrize("size", [1, 4097])
def test_small_writes_fill_the_slots_of_a_pipe(fds: Descriptors, size: int) -> None:
    read_in, write_in = fds.pipe()
    read_out, write_out = fds.pipe()
    stream = Stream(read_in, write_out, "stdout")
    total = 0
    for _ in range(100):
        os.write(write_in, b"x" * size)
        total += size
        never_blocks(stream.step)
        if stream.wants()[0][0] == write_out:
            break
    assert stream.wants() == [(write_out, select.POLLOUT)]
    assert polled(stream) == []
    fds.close(write_in)
    got = 0
    while got < total:
        got += len(os.read(read_out, 1 << 20))
        never_blocks(stream.step)
    assert got == total


@pytest.mark.parametrize("target", ["pipe", "socket"])
def test_a_target_that_is_gone_is_noticed_while_idle_and_the_source_drained(fds: Descriptors, target: str) -> None:
    read_in, write_in = fds.pipe()
    read_out, write_out = pair(fds, target)
    stream = Stream(read_in, write_out, "stdout")
    assert polled(stream) == []
    fds.close(read_out)
    assert polled(stream, DEADLINE)
    never_blocks(stream.step)
    assert (stream.state, stream.cause) == (State.TARGET_GONE, errno.EPIPE)
    assert polled(stream) == []  # no spinning on the dead target
    count = fill(write_in)
    run(stream, until=lambda: stream.dropped == count)
    assert stream.dropped == count
    os.write(write_in, b"y")  # the container is not stopped
    fds.close(write_in)
    run(stream)
    assert (stream.state, stream.moved, stream.dropped) == (State.ENDED, 0, count + 1)


@pytest.mark.parametrize("target", ["pipe", "socket"])
def test_a_target_that_goes_while_bytes_wait(fds: Descriptors, target: str) -> None:
    read_in, write_in = fds.pipe()
    read_out, write_out = pair(fds, target)
    fill(write_out)
    os.write(write_in, b"more")
    stream = Stream(read_in, write_out, "stdout")
    never_blocks(stream.step)
    fds.close(read_out)
    run(stream, until=lambda: stream.dropped == 4)
    assert (stream.state, stream.dropped) == (State.TARGET_GONE, 4)


@pytest.mark.parametrize("source", SOURCES)
def test_stdin_stops_when_nobody_reads_it(fds: Descriptors, source: str) -> None:
    read_in, write_in = pair(fds, source)
    read_out, write_out = fds.pipe()
    stream = Stream(read_in, write_out, "stdin", drain=False)
    os.write(write_in, b"kept")
    fds.close(read_out)
    never_blocks(stream.step)
    assert (stream.state, stream.wants(), stream.dropped) == (State.TARGET_GONE, [], 0)
    assert never_blocks(stream.step) == Moved(0, State.TARGET_GONE)
    assert os.read(read_in, 10) == b"kept"


def test_a_socket_whose_peer_left_bytes_unread_is_an_end_not_a_fault(fds: Descriptors) -> None:
    read_in, write_in = fds.sockets()
    _, write_out = fds.pipe()
    os.write(read_in, b"never read")
    fds.close(write_in)  # reading now gives ECONNRESET
    stream = Stream(read_in, write_out, "stdin", drain=False)
    run(stream)
    assert stream.state is State.ENDED


def test_files_are_spliced_at_their_position(fds: Descriptors, tmp_path: Path) -> None:
    read_in, write_in = fds.pipe()
    path = tmp_path / "log"
    (file,) = fds.add(os.open(path, os.O_WRONLY | os.O_CREAT))
    os.write(file, b"before ")
    os.write(write_in, b"middle")
    fds.close(write_in)
    stream = Stream(read_in, file, "stderr")
    run(stream)
    os.write(file, b" after")
    assert path.read_bytes() == b"before middle after"
    assert not stream.copying


def test_appending_files_are_copied_in_small_chunks(fds: Descriptors, tmp_path: Path) -> None:
    read_in, write_in = fds.pipe()
    path = tmp_path / "log"
    (file,) = fds.add(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    os.write(write_in, BLOCK[:50000])
    stream = Stream(read_in, file, "stderr")
    assert never_blocks(stream.step) == Moved(COPY_CHUNK, State.FLOWING)
    with path.open("ab") as other:
        other.write(b"|")
    fds.close(write_in)
    run(stream)
    assert (stream.copying, stream.state) == (True, State.ENDED)
    assert path.read_bytes() == BLOCK[:COPY_CHUNK] + b"|" + BLOCK[COPY_CHUNK:50000]


def test_a_full_disk_does_not_stop_the_container(fds: Descriptors) -> None:
    read_in, write_in = fds.pipe()
    (full,) = fds.add(os.open("/dev/full", os.O_WRONLY))
    os.write(write_in, b"lost")
    stream = Stream(read_in, full, "stderr")
    fds.close(write_in)
    run(stream)
    assert (stream.state, stream.cause, stream.dropped) == (State.ENDED, errno.ENOSPC, 4)


def test_dev_null_takes_all(fds: Descriptors) -> None:
    read_in, write_in = fds.pipe()
    (null,) = fds.add(os.open(os.devnull, os.O_WRONLY))
    count = fill(write_in)
    fds.close(write_in)
    stream = Stream(read_in, null, "stderr")
    run(stream)
    assert (stream.moved, stream.copying, stream.state) == (count, False, State.ENDED)


@pytest.mark.parametrize("copying", [False, True])
def test_a_stopped_terminal_blocks_nothing(fds: Descriptors, copying: bool) -> None:
    read_in, write_in = fds.pipe()
    master, slave = os.openpty()
    fds.add(master, slave)
    tty.setraw(slave)
    stream = Stream(read_in, slave, "stderr")
    stream.copying = copying
    sent = b""
    end = time.monotonic() + DEADLINE
    # The kernel hands on what a terminal has taken a moment later, and then it takes more: it is full when it stays so.
    while (wanted := stream.wants()[0][1]) != select.POLLOUT or polled(stream):
        assert len(sent) < 1 << 22, "the terminal takes everything"
        assert time.monotonic() < end, "the terminal is ready and takes nothing"
        if wanted != select.POLLOUT:
            os.write(write_in, BLOCK[:10000])
            sent += BLOCK[:10000]
        while never_blocks(stream.step).count:
            pass
    fds.close(write_in)
    got = b""
    while len(got) < len(sent):
        got += os.read(master, 1 << 16)
        never_blocks(stream.step)
    assert got == sent
    run(stream)
    assert stream.state is State.ENDED
    assert os.get_blocking(slave)
    stream.close()


def test_the_hang_up_of_a_terminal_is_noticed(fds: Descriptors) -> None:
    read_in, _ = fds.pipe()
    master, slave = os.openpty()
    fds.add(master, slave)
    stream = Stream(read_in, slave, "stderr")
    fds.close(master)
    assert polled(stream, DEADLINE)
    never_blocks(stream.step)
    assert stream.state is State.TARGET_GONE
    stream.close()


def test_no_flag_of_the_engines_descriptors_changes(fds: Descriptors) -> None:
    kept = [*fds.pipe(), *fds.sockets(), *fds.pipe()]
    before = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in kept]
    for source, target in ((kept[0], kept[3]), (kept[2], kept[5])):
        os.write(kept[1] if source == kept[0] else kept[3], b"x")
        never_blocks(Stream(source, target, "any").step)
    assert [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in kept] == before


def test_one_end_must_be_a_pipe(fds: Descriptors) -> None:
    one, two = fds.sockets()
    with pytest.raises(ValueError, match="neither end is a pipe"):
        Stream(one, two, "stdin")


def test_pipes_are_made_as_large_as_allowed(fds: Descriptors) -> None:
    small = fds.add(*make_pipe(1 << 16))
    assert fcntl.fcntl(small[0], fcntl.F_GETPIPE_SZ) == 1 << 16
    refused = fds.add(*make_pipe(1 << 40))
    assert fcntl.fcntl(refused[0], fcntl.F_GETPIPE_SZ) > 0
    assert not any(os.get_inheritable(fd) for fd in small)


# --- sudden death ----------------------------------------------------------


def forked_mover(source: int, target: int, close: tuple[int, ...]) -> int:
    """Fork what the anchor forks; exits with 0 at the end of the source."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        for fd in close:
            os.close(fd)
        stream = Stream(source, target, "stdout")
        while stream.state is not State.ENDED:
            polled(stream, DEADLINE)
            stream.step()
        status = 0
    finally:
        os._exit(status)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_killed_at_random_instants_nothing_is_lost_or_repeated(
    fds: Descriptors, source: str, target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each block is numbered, so the digest sees loss, repetition and disorder."""
    blocks, kills = 256, 150
    read_in, write_in = pair(fds, source)
    read_out, write_out = pair(fds, target)
    expected, digest = hashlib.blake2b(), hashlib.blake2b()
    received = 0

    def numbered() -> Iterator[bytes]:
        for number in range(blocks):
            yield number.to_bytes(8, "big") + BLOCK[8:]

    def write() -> None:
        for block in numbered():
            rest = memoryview(block)
            while rest:
                rest = rest[os.write(write_in, rest) :]
        fds.close(write_in)

    def read() -> None:
        nonlocal received
        while piece := os.read(read_out, 1 << 16):
            digest.update(piece)
            received += len(piece)

    writer = forked_writer(write, keep=(write_in,), drop=(read_in, read_out, write_out), fds=fds)
    reader = threading.Thread(target=read)
    choose = random.Random()
    killed = 0
    pid = forked_mover(read_in, write_out, (read_out,))
    reader.start()
    try:
        while True:
            pause = choose.uniform(0, 0.004) if killed < kills else DEADLINE * 6
            if ended(pid, pause):
                break
            os.kill(pid, signal.SIGKILL)
            assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) in {0, -signal.SIGKILL}
            killed += 1
            pid = forked_mover(read_in, write_out, (read_out,))
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    finally:
        fds.close(write_out)
        reader.join()
    assert os.waitstatus_to_exitcode(os.waitpid(writer, 0)[1]) == 0
    for block in numbered():
        expected.update(block)
    with capsys.disabled():
        print(f"\n{source} to {target}: {received >> 20} MiB, {killed} kills")
    assert received == blocks * len(BLOCK)
    assert digest.digest() == expected.digest()
    assert killed > kills // 3


def forked_writer(work: Callable[[], None], keep: tuple[int, ...], drop: tuple[int, ...], fds: Descriptors) -> int:
    """Run a function in a fork that has only the descriptors it needs; the parent gives those up."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            for fd in drop:
                os.close(fd)
            work()
            status = 0
        finally:
            os._exit(status)
    fds.close(*keep)
    return pid


def ended(pid: int, timeout: float) -> bool:
    """Whether a child ends within the time; it is not reaped."""
    handle = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    finally:
        os.close(handle)


def test_throughput_beside_cat(fds: Descriptors, capsys: pytest.CaptureFixture[str]) -> None:
    """Printed, not judged."""
    amount = 512 << 20

    def measure(through: Callable[[int, int, tuple[int, ...]], int], size: int) -> float:
        read_in, write_in = make_pipe(size)
        read_out, write_out = make_pipe(size)
        begin = time.monotonic()
        with subprocess.Popen(["head", "-c", str(amount), "/dev/zero"], stdout=write_in):
            os.close(write_in)
            pid = through(read_in, write_out, (read_out,))
            os.close(read_in)
            os.close(write_out)
            got = 0
            while piece := os.read(read_out, 1 << 18):
                got += len(piece)
            os.close(read_out)
        os.waitpid(pid, 0)
        assert got == amount
        return amount / (1 << 20) / (time.monotonic() - begin)

    def cat(source: int, target: int, close: tuple[int, ...]) -> int:
        pid = os.fork()
        if pid == 0:
            os.dup2(source, 0)
            os.dup2(target, 1)
            os.execvp("cat", ["cat"])
        return pid

    with capsys.disabled():
        for size in (1 << 16, 1 << 18, 1 << 20):
            print(
                f"\npipes of {size >> 10} KiB: mover {measure(forked_mover, size):.0f} MiB/s, "
                f"cat {measure(cat, size):.0f} MiB/s"
            )


CANCELLED = b"slurmstepd-node1: error: *** STEP 24.0 ON node1 CANCELLED AT 2026-11-29T13:34:25 ***\n"


def test_lines_of_slurms_are_taken_out_of_what_passes(fds: Descriptors) -> None:
    (source, write), (read, target) = fds.pipe(), fds.pipe()
    stream = Stream(source, target, "stderr", sift=slurms_words.sift)
    for piece in (b"a prompt s", b"part " + CANCELLED, CANCELLED, b"of a line\n"):
        os.write(write, piece)
        while stream.step().count:
            pass
    assert os.read(read, 1 << 16) == b"a prompt spart of a line\n"
    assert stream.state is State.FLOWING


@pytest.mark.parametrize("at", [0, 1, 40, len(CANCELLED) - 1])
def test_one_that_a_chunk_cuts_in_two(fds: Descriptors, at: int) -> None:
    (source, write), (read, target) = fds.pipe(), fds.pipe()
    stream = Stream(source, target, "stderr", sift=slurms_words.sift)
    before = b"x" * (COPY_CHUNK - at)
    os.write(write, before + CANCELLED + b"after")
    fds.close(write)
    while stream.state is State.FLOWING:
        stream.step()
    assert os.read(read, 1 << 16) == before + b"after"


def test_what_only_looks_like_the_beginning_of_one_is_not_kept(fds: Descriptors) -> None:
    (source, write), (read, target) = fds.pipe(), fds.pipe()
    stream = Stream(source, target, "stderr", sift=slurms_words.sift)
    text = b"x" * (COPY_CHUNK - 10) + b"slurmstepd"
    os.write(write, text)
    while stream.step().count:
        pass
    assert os.read(read, 1 << 16) == text
