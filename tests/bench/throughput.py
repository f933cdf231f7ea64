"""Figure 3: bytes out of and into a container, through scrun and through plain srun."""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TYPE_CHECKING

from .container import OURS
from .measure import FailedError, TooLongError
from .rows import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .bench import Bench
    from .container import Runtime

NAME = "throughput"
MEGABYTE = 1 << 20
PATIENCE = 30.0
"""Seconds without a byte after which a transfer is given up."""
NOTE = "pipes on both sides; from the first byte to the last, so that starting does not count"


def measure(bench: Bench) -> Iterator[Row]:
    """Out and in, with scrun and without in turn, all srun's in one allocation."""
    size = bench.times(256, 32) * MEGABYTE
    out: tuple[list[float], list[float]] = ([], [])
    into: tuple[list[float], list[float]] = ([], [])
    job, _ = bench.salloc()
    try:
        for _ in range(bench.times(5, 1)):
            out[0].append(output_of_scrun(bench, size))
            out[1].append(output_of_srun(bench, size, job))
            into[0].append(input_of_scrun(bench, size))
            into[1].append(input_of_srun(bench, size, job))
    finally:
        bench.run("scancel", job)
    text = f"{size // MEGABYTE} MiB"
    yield Row(NAME, f"stdout, {text}", "MB/s", tuple(out[0]), "srun --unbuffered", tuple(out[1]), ">= 0.9 x", NOTE)
    yield Row(NAME, f"stdin, {text}", "MB/s", tuple(into[0]), "srun --unbuffered", tuple(into[1]), ">= 0.9 x")


def producer(size: int) -> tuple[str, ...]:
    return ("dd", "if=/dev/zero", "bs=64k", f"count={size >> 16}")


CONSUMER = ("sh", "-c", "echo ready; wc -c")


def output_of_scrun(bench: Bench, size: int, runtime: Runtime = OURS) -> float:
    """MB/s."""
    container = bench.container(*producer(size), runtime=runtime)
    try:
        container.create()
        # The reader has to be there before start returns: the pipe is full at once.
        reader = _Reader(container.output, size)
        argv = (runtime.program, "--root", bench.root, "start", container.name)
        pid = bench.processes.start(argv, environ=runtime.environ)
        rate = reader.drain(bench)
        bench.processes.wait(pid, 10)
        container.wait()
        container.delete()
    except BaseException:
        container.remove()
        raise
    return rate


def output_of_srun(bench: Bench, size: int, job: str) -> float:
    """MB/s."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    pid = bench.processes.start(bench.step(job, *producer(size)), stdout=writing)
    os.close(writing)
    try:
        rate = _Reader(reading, size).drain(bench)
    finally:
        os.close(reading)
        bench.processes.wait(pid, 10)
    return rate


class _Reader:
    """Takes what comes out of a pipe and forgets it."""

    def __init__(self, fd: int, size: int) -> None:
        self.fd = fd
        self.size = size

    def drain(self, bench: Bench) -> float:
        """Read to the end; return MB/s.

        Raises:
            FailedError: there was more or less of it than there should be.

        """
        buffer = bytearray(MEGABYTE)
        await_event(self.fd, select.POLLIN, bench)
        begin = time.perf_counter()
        total = 0
        while True:
            await_event(self.fd, select.POLLIN, bench)
            count = os.readv(self.fd, [buffer])
            if not count:
                break
            total += count
        seconds = time.perf_counter() - begin
        if total != self.size:
            raise FailedError(f"{total} bytes came out instead of {self.size}")
        return total / 1e6 / seconds


def input_of_scrun(bench: Bench, size: int) -> float:
    """MB/s."""
    container = bench.container(*CONSUMER)
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        try:
            container.create(stdin=reading)
        finally:
            os.close(reading)
        container.start()
        rate = _feed(bench, writing, container.output, size)
        writing = -1
        container.wait()
        container.delete()
    except BaseException:
        container.remove()
        raise
    finally:
        if writing >= 0:
            os.close(writing)
    return rate


def input_of_srun(bench: Bench, size: int, job: str) -> float:
    """MB/s."""
    stdin, writing = os.pipe2(os.O_CLOEXEC)
    reading, stdout = os.pipe2(os.O_CLOEXEC)
    pid = bench.processes.start(bench.step(job, *CONSUMER), stdin=stdin, stdout=stdout)
    os.close(stdin)
    os.close(stdout)
    try:
        rate = _feed(bench, writing, reading, size)
        writing = -1
    finally:
        if writing >= 0:
            os.close(writing)
        os.close(reading)
        bench.processes.wait(pid, 10)
    return rate


def _feed(bench: Bench, writing: int, reading: int, size: int) -> float:
    """Write that much and close, once the program is ready; the clock stops when it has counted all of it.

    Raises:
        FailedError: it counted something else.

    """
    await_event(reading, select.POLLIN, bench)
    said = os.read(reading, 6)
    chunk = bytes(MEGABYTE)
    begin = time.perf_counter()
    left = size
    try:
        os.set_blocking(writing, False)
        while left:
            await_event(writing, select.POLLOUT, bench)
            with contextlib.suppress(BlockingIOError):
                left -= os.write(writing, chunk[: min(left, MEGABYTE)])
    finally:
        os.close(writing)
    while True:
        await_event(reading, select.POLLIN, bench)
        data = os.read(reading, 100)
        if not data:
            break
        said += data
        if said.endswith(b"\n"):
            seconds = time.perf_counter() - begin
    if said.split() != [b"ready", b"%d" % size]:
        raise FailedError(f"it should have counted {size} bytes and said {said!r}")
    return size / 1e6 / seconds


def await_event(fd: int, event: int, bench: Bench) -> None:
    """Until a descriptor is ready for that.

    Raises:
        TooLongError: it was not.

    """
    poller = select.poll()
    poller.register(fd, event)
    if not poller.poll(max(0.0, min(PATIENCE, bench.left)) * 1000):
        raise TooLongError("no byte moved")
