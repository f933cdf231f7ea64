"""What carries a program's output on a node, without the node: real shells, pipes and deaths."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import signal
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest

from actors.oci.entry import entry_file, has_code
from actors.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDED = 1 << 22
"""A process that there is not: the largest number is one less."""


@pytest.fixture(params=[None, 2], ids=["one line", "lines"])
def indent(request: pytest.FixtureRequest) -> int | None:
    """How a runtime writes the container's state: crun 1.28 writes several lines."""
    lines: int | None = request.param
    return lines


@pytest.fixture(params=[("/bin/dash",), ("/bin/bash", "--posix"), ("/bin/busybox", "sh")], ids=lambda words: words[0])
def runtime(request: pytest.FixtureRequest, tmp_path: pathlib.Path, indent: int | None) -> Iterator[Runtime]:
    """What /bin/sh of a node may be."""
    if not os.path.exists(request.param[0]):
        pytest.skip(f"there is no {request.param[0]}")
    made = Runtime(request.param, tmp_path, indent)
    yield made
    made.close()


class Runtime:
    """A process that runs hooks one after the other, as a runtime does, until it is told to end."""

    def __init__(self, shell: tuple[str, ...], directory: pathlib.Path, indent: int | None) -> None:
        self.pipe = directory / "stdout"
        self.note = directory / "carrier.x"
        os.mkfifo(self.pipe)
        script = directory / "streams"
        script.write_bytes(program("node_streams.sh"))
        annotations = {"id": "of/mine", "pid": "of mine"}
        state, dead = (
            json.dumps({"ociVersion": "1.0", "id": "x", "pid": pid, "annotations": annotations}, indent=indent)
            for pid in (os.getpid(), ENDED)
        )
        self.dead = dead
        self.script = hook = f"{' '.join(shell)} {script}"
        words = f"""
            while read -r verb; do
                case $verb in
                pass) printf %s '{state}' | {hook} pass {self.pipe} ;;
                dead) printf %s '{dead}' | {hook} pass {self.pipe} ;;
                finish) printf %s '{state}' | {hook} finish ;;
                esac
                echo "$verb" >&2
            done"""
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def hook(self, verb: str) -> None:
        """Run one, and wait for it."""
        assert self.process.stdin
        assert self.process.stderr
        self.process.stdin.write(f"{verb}\n".encode())
        self.process.stdin.flush()
        assert self.process.stderr.readline() == f"{verb}\n".encode()

    def carriers(self) -> list[int]:
        """The shell that is left of the hook, and cat."""
        [shell] = [int(self.note.read_text())]
        return [shell, *map(int, pathlib.Path(f"/proc/{shell}/task/{shell}/children").read_text().split())]

    def output(self) -> bytes:
        """All of it, to the end of those who could write."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.close()
        return self.process.stdout.read()

    def close(self) -> None:
        self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            stream.close()
        self.process.wait()


def test_bytes_pass_until_the_last_writer_has_gone(runtime: Runtime) -> None:
    runtime.hook("pass")
    with open(runtime.pipe, "wb", buffering=0) as one, open(runtime.pipe, "wb", buffering=0) as other:
        one.write(b"!part of a line")
        one.close()
        other.write(b"x" * 30_000)
    runtime.hook("finish")
    assert runtime.output() == b"part of a line" + b"x" * 30_000
    assert not runtime.note.exists()


def test_another_one_carries_on(runtime: Runtime, wait_until: Any) -> None:
    runtime.hook("pass")
    with open(runtime.pipe, "wb", buffering=0) as writer:
        writer.write(b"!one")
        assert runtime.process.stdout
        assert runtime.process.stdout.read(3) == b"one"
        shell, cat = runtime.carriers()
        os.kill(cat, signal.SIGKILL)
        wait_until(lambda: runtime.carriers()[1:] not in ([], [cat]))
        writer.write(b" two")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
            os.kill(shell, number)
        writer.write(b" three")
    runtime.hook("finish")
    assert runtime.output() == b" two three"


def test_a_program_that_never_came_is_not_waited_for(runtime: Runtime) -> None:
    runtime.hook("dead")
    runtime.hook("finish")
    assert runtime.output() == b""


def test_the_size_of_a_program_s_terminal_that_has_ended_is_no_failure(runtime: Runtime) -> None:
    """crun 1.21 takes it for one of its own, and says what the program has written for the reason."""
    master, terminal = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("4H", 41, 77, 0, 0))
    hook = f"printf %s '{runtime.dead}' | {runtime.script} watch {runtime.pipe}"
    words = ["setsid", "--ctty", "--wait", "sh", "-c", hook]
    done = subprocess.run(words, stdin=terminal, timeout=30, check=False)
    os.close(master)
    os.close(terminal)
    assert done.returncode == 0


def test_the_end_without_a_beginning(runtime: Runtime) -> None:
    runtime.hook("finish")
    assert runtime.output() == b""


def test_a_program_does_not_wait_for_ever_for_one_who_reads(tmp_path: pathlib.Path) -> None:
    """It keeps the output that it was given, after ten seconds."""
    if not has_code(os.uname().machine):
        pytest.skip("no entry file for this machine")
    pipe, entry = tmp_path / "pipe", tmp_path / "entry"
    os.mkfifo(pipe)
    entry.write_bytes(entry_file(os.uname().machine, pipe=str(pipe)))
    entry.chmod(0o755)
    assert subprocess.run([entry, "/bin/echo", "echo", "x"], capture_output=True, check=True).stdout == b"x\n"


def test_a_program_on_a_terminal_begins_when_the_runtime_looks_after_that(runtime: Runtime, wait_until: Any) -> None:
    words = (
        "import os, select, sys; os.system(sys.argv[1]); print(flush=True);"
        "sys.stdin.buffer.raw.read(1); epoll = select.epoll(); sys.stdin.read()"
    )
    # The shell becomes the hook: the runtime, whose descriptors it looks at, is its parent.
    hook = f"exec {runtime.script} watch {runtime.pipe} <<'END'\n{runtime.dead}\nEND"

    def is_read() -> bool:
        with contextlib.suppress(OSError):
            os.close(os.open(runtime.pipe, os.O_WRONLY | os.O_NONBLOCK))
            return True
        return False

    process = subprocess.Popen(
        [sys.executable, "-c", words, hook], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    with process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.read(1) == b"\n", "the hook is over"
        assert not is_read()
        process.stdin.write(b"x")
        wait_until(is_read, 30)
