"""Standard input and output through a pipe: all of it, to the end, and without memory that grows."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import threading
from typing import TYPE_CHECKING, Self

from tests.conftest import read_proc, scrun_processes

if TYPE_CHECKING:
    from tests.oci.podman import Podman

GIGABYTE = 1 << 30
CHUNK = os.urandom(1 << 20)
SLACK = 24 << 10
"""KiB by which all processes of scrun together may grow while a gigabyte passes."""


def digest(size: int) -> str:
    found = hashlib.md5(usedforsecurity=False)
    for _ in range(size // len(CHUNK)):
        found.update(CHUNK)
    return found.hexdigest()


def memory(container_id: str) -> int:
    """KiB of all of a container's processes, shared pages counted once."""
    total = 0
    for pid in scrun_processes():
        if container_id.encode() in read_proc(pid, "cmdline"):
            match = re.search(rb"^Pss: +(\d+)", read_proc(pid, "smaps_rollup"), re.MULTILINE)
            total += int(match[1]) if match else 0
    return total


class Watch:
    """The greatest memory seen while something goes on."""

    def __init__(self, container_id: str) -> None:
        self.before = memory(container_id)
        self.most = self.before
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(container_id,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self, container_id: str) -> None:
        while not self._over.wait(0.5):
            self.most = max(self.most, memory(container_id))


def test_piped_input_comes_back(podman: Podman) -> None:
    text = "".join(f"line {number}\n" for number in range(5000))
    done = podman.run("--rm", "-i", "busybox", "cat", input=text)
    assert (done.returncode, done.stdout) == (0, text)


def test_an_empty_input_ends_at_once(podman: Podman) -> None:
    done = podman.run("--rm", "-i", "busybox", "sh", "-c", "cat; echo over", input="")
    assert (done.returncode, done.stdout) == (0, "over\n")


def test_without_i_there_is_no_input(podman: Podman) -> None:
    done = podman.run("--rm", "busybox", "sh", "-c", "cat; echo over", input="unheard")
    assert (done.returncode, done.stdout) == (0, "over\n")


def test_a_program_that_reads_only_a_part(podman: Podman) -> None:
    done = podman.run("--rm", "-i", "busybox", "head", "-n", "1", input="first\n" + "rest\n" * 100_000)
    assert (done.returncode, done.stdout) == (0, "first\n")


def test_an_answer_comes_before_the_next_question(podman: Podman) -> None:
    words = ["run", "--rm", "-i", "--name", podman.name(), "busybox", "sh", "-c", 'while read x; do echo "<$x>"; done']
    process = podman.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    for number in range(5):
        process.stdin.write(b"%d\n" % number)
        process.stdin.flush()
        assert process.stdout.readline() == b"<%d>\n" % number
    process.stdin.close()
    assert process.stdout.read() == b""
    assert process.wait(timeout=30) == 0


def test_a_gigabyte_in(podman: Podman) -> None:
    name = podman.name()
    # md5sum speaks when it has seen the end; the shell says when it is there.
    script = "echo ready >&2; md5sum"
    process = podman.start(
        "run", "--rm", "-i", "--name", name, "busybox", "sh", "-c", script,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    assert process.stderr.readline() == b"ready\n"
    with Watch(podman.id(name)) as watch:
        for _ in range(GIGABYTE // len(CHUNK)):
            process.stdin.write(CHUNK)
        process.stdin.close()
        said = process.stdout.read().split()[0].decode()
    assert said == digest(GIGABYTE)
    assert process.wait(timeout=60) == 0
    assert watch.before > 0
    assert watch.most < watch.before + SLACK


def test_a_gigabyte_out(podman: Podman) -> None:
    name = podman.name()
    script = "read x; dd if=/dev/zero bs=1M count=1024 2>/dev/null"
    process = podman.start(
        "run", "--rm", "-i", "--log-driver=none", "--name", name, "busybox", "sh", "-c", script,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    found, size = hashlib.md5(usedforsecurity=False), 0
    expected = hashlib.md5(usedforsecurity=False)
    for _ in range(GIGABYTE // len(CHUNK)):
        expected.update(bytes(len(CHUNK)))
    while podman("inspect", name).returncode or podman.status(name)[0] != "running":
        assert process.poll() is None
    with Watch(podman.id(name)) as watch:
        process.stdin.write(b"go\n")
        process.stdin.close()
        while part := process.stdout.read(1 << 20):
            found.update(part)
            size += len(part)
    assert (size, found.hexdigest()) == (GIGABYTE, expected.hexdigest())
    assert process.wait(timeout=60) == 0
    assert watch.before > 0
    assert watch.most < watch.before + SLACK
