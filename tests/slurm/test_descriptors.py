"""Standard streams as callers leave them, closed, without another end, reset, full, open the wrong way, or none at all:
each command ends with the right status, and leaves neither a job nor a process nor a directory."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import termios
from typing import TYPE_CHECKING

import pytest

from tests.chaos.ordeal import staging_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.slurm.runtime import Runtime

PROGRAM = "echo out; echo err >&2; cat >/dev/null; exit 5"
LASTING = "trap 'exit 6' TERM; echo out; echo err >&2; cat >/dev/null; while :; do sleep 0.1; done"

Streams = dict[int, int]
FLOOD = 200_000
"""Bytes that no pipe on the way holds."""


def _other_end_gone(number: int) -> int:
    """A pipe that nobody writes into any more, or one that nobody reads."""
    ends = os.pipe()
    mine = 0 if number == 0 else 1
    os.close(ends[1 - mine])
    return ends[mine]


def _full(number: int) -> int:
    """The device of a full disk; as an input it has zeros without end, which is another thing."""
    return os.open("/dev/full" if number else os.devnull, os.O_RDWR)


def _reset(_: int) -> int:
    """A connection that its peer has reset, having read nothing of what was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs = listener.accept()[0]
    ours.send(b"unread")
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    theirs.close()
    return ours.detach()


def _wrong_way(number: int) -> int:
    return os.open("/dev/zero", os.O_RDONLY if number else os.O_WRONLY)


def _no_stream(_: int) -> int:
    with select.epoll() as poll:
        return os.dup(poll.fileno())


OPEN: dict[str, Callable[[int], int]] = {
    "other end gone": _other_end_gone,
    "full": _full,
    "reset": _reset,
    "open the wrong way": _wrong_way,
    "no stream": _no_stream,
    "directory": lambda _: os.open("/", os.O_RDONLY),
}
CLOSED = ["0", "1", "2", "01", "02", "12", "012"]


class Caller:
    """Calls scrun with streams of a kind."""

    def __init__(self, runtime: Runtime, kind: str) -> None:
        self.runtime = runtime
        self.kind = kind

    def __call__(self, *words: str) -> int:
        """Its status; nobody else has its streams."""
        line = self.runtime.words(*words)
        with self._streams() as streams:
            if self.kind in CLOSED:
                closing = " ".join(f"{number}>&-" for number in self.kind)
                line = ["sh", "-c", f'exec "$@" {closing}', "sh", *line]
            process = self.runtime.runner.start(line, stdin=streams[0], stdout=streams[1], stderr=streams[2])
        return process.wait(60)

    @contextlib.contextmanager
    def _streams(self) -> Iterator[Streams]:
        null = {number: os.open(os.devnull, os.O_RDWR) for number in (0, 1, 2)}
        made = {number: OPEN[self.kind](number) for number in (0, 1, 2)} if self.kind in OPEN else {}
        try:
            yield null | made
        finally:
            for number in {*null.values(), *made.values()}:
                os.close(number)

    def job(self, name: str) -> int:
        return int(json.loads(self.runtime("state", name).stdout)["annotations"]["scrun.job-id"])

    def gone(self, name: str, job: int = 0) -> None:
        assert self.runtime.left(name) == []
        assert not staging_of(name)
        self.runtime.wait_until(lambda: not job or self.runtime.released(job), what=f"the end of job {job}")
        assert self.runtime.runner(["squeue", "--noheader", "--name", name, "--states=PD,R,S"]).stdout == ""


@pytest.fixture(params=[*CLOSED, *OPEN])
def call(runtime: Runtime, request: pytest.FixtureRequest) -> Caller:
    return Caller(runtime, request.param)


def test_run(runtime: Runtime, call: Caller) -> None:
    bundle = str(runtime.bundle("/bin/sh", "-c", PROGRAM))
    runtime.ids.append("alone")
    assert call("run", "--bundle", bundle, "alone") == 5
    call.gone("alone")
    assert runtime.records() == []


def test_every_other_verb(runtime: Runtime, call: Caller) -> None:
    bundle = str(runtime.bundle("/bin/sh", "-c", LASTING))
    runtime.ids += ["box", "detached"]
    assert call("create", "--bundle", bundle, "box") == 0
    job = call.job("box")
    assert call("start", "box") == 0
    assert call("exec", "box", "/bin/sh", "-c", "echo out; echo err >&2; exit 3") == 3
    assert call("exec", "--detach", "box", "/bin/true") == 0
    assert call("kill", "box", "TERM") == 0
    runtime.wait_until(lambda: json.loads(runtime("state", "box").stdout)["status"] == "stopped", 30)
    assert json.loads(runtime("state", "box").stdout)["annotations"]["scrun.exit-code"] == "6"
    assert call("delete", "box") == 0
    call.gone("box", job)
    assert call("run", "--detach", "--bundle", bundle, "detached") == 0
    job = call.job("detached")
    assert call("delete", "--force", "detached") == 0
    call.gone("detached", job)
    assert runtime.records() == []


@pytest.mark.parametrize("kind", OPEN)
def test_what_the_other_streams_bring(runtime: Runtime, kind: str) -> None:
    """One stream of the kind does not harm the others."""
    bundle = str(runtime.bundle("/bin/sh", "-c", PROGRAM))
    runtime.ids.append("alone")
    for bad in (0, 1, 2):
        pipes = {number: os.pipe() for number in {1, 2} - {bad}}
        streams = {number: writer for number, (_, writer) in pipes.items()} | {bad: OPEN[kind](bad)}
        if bad:
            streams[0] = os.open(os.devnull, os.O_RDONLY)
        words = runtime.words("run", "--bundle", bundle, "alone")
        process = runtime.runner.start(words, stdin=streams[0], stdout=streams[1], stderr=streams[2])
        for descriptor in streams.values():
            os.close(descriptor)
        assert process.wait(60) == 5
        for number, (reader, _) in pipes.items():
            with open(reader, encoding="ascii") as file:
                assert file.read() == {1: "out\n", 2: "err\n"}[number]
        Caller(runtime, kind).gone("alone")


@pytest.mark.parametrize("kind", ["other end gone", "full", "reset"])
def test_run_with_a_terminal(runtime: Runtime, kind: str) -> None:
    """What it prints is lost, and the program goes on."""
    bundle = str(runtime.bundle("/bin/sh", "-c", "echo out; sleep 0.2; echo more; exit 5", terminal=True))
    runtime.ids.append("alone")
    call = Caller(runtime, kind)
    assert call("run", "--bundle", bundle, "alone") == 5
    call.gone("alone")
    assert runtime.records() == []


def _full_pipe() -> tuple[int, int]:
    """The ends of a pipe that has no room."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    return reader, writer


@pytest.mark.parametrize("way", ["read at last", "given up", "killed"])
def test_a_full_pipe_that_nobody_reads(runtime: Runtime, way: str) -> None:
    """The program waits for room, as with any runtime; whoever reads at last has all of it, and by force it ends."""
    reader, writer = _full_pipe()
    before = int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4), "little")
    bundle = str(runtime.bundle("/bin/sh", "-c", f"dd if=/dev/zero bs=1000 count={FLOOD // 1000}; exit 5"))
    runtime.ids.append("alone")
    process = runtime.runner.start(runtime.words("run", "--bundle", bundle, "alone"), stdout=writer)
    os.close(writer)

    def runs() -> bool:
        done = runtime.runner(["scrun", "--root", str(runtime.root), "state", "alone"])
        return done.returncode == 0 and json.loads(done.stdout)["status"] == "running"

    runtime.wait_until(runs, 60, what="a program that runs")
    call = Caller(runtime, "")
    job = call.job("alone")
    if way == "read at last":
        with open(reader, "rb") as file:
            assert len(file.read()) == before + FLOOD
        assert process.wait(60) == 5
    elif way == "given up":
        assert runtime("delete", "--force", "alone").returncode == 0
        assert process.wait(60) == 137
        os.close(reader)
    else:
        process.kill()
        process.wait()
        assert runtime("delete", "--force", "alone").returncode == 0
        os.close(reader)
    call.gone("alone", job)


def test_a_command_whose_output_cannot_be_written_says_so(runtime: Runtime) -> None:
    """Whoever has stopped reading wants no more of it, and is told nothing."""
    box = runtime.running("/bin/sleep", "600")
    for words in (
        ("state", box.id), ("list",), ("ps", "--format=json", box.id), ("why", box.id), ("features",), ("--version",),
        ("events", "--stats", box.id), ("console", box.id, "tree"),
    ):  # fmt: skip
        for kind, sentence in (
            ("full", "standard output cannot be written: the file system is full\n"),
            ("open the wrong way", "standard output cannot be written: it is not open for that\n"),
            ("other end gone", ""),
        ):
            stdout = OPEN[kind](1)
            process = runtime.runner.start(runtime.words(*words), stdout=stdout, stderr=subprocess.PIPE)
            os.close(stdout)
            said = process.communicate(timeout=60)[1].decode()
            assert (said, process.returncode) == (sentence, 1 if sentence else 0), (words, kind)
        runtime.log.unlink(missing_ok=True)
