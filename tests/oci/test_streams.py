"""A program cannot tell by its streams that it was started by scrun: they are pipes, or one terminal."""

from __future__ import annotations

import hashlib
import os
import pathlib
import re
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import alive, wait_until
from tests.oci.podman import READY

if TYPE_CHECKING:
    from tests.oci.podman import Done, Podman
    from tests.oci.screen import Screen

everywhere = pytest.mark.parametrize("engine", ["podman", "squashed_podman", "docker"], indirect=True)
KINDS = "for fd in 0 1 2; do test -p /dev/fd/$fd && echo $fd is a pipe; test -t $fd && echo $fd is a terminal; done"
WHOLE = 50 << 20


@pytest.fixture(params=["run", "exec"])
def program(request: pytest.FixtureRequest, engine: Podman) -> Run:
    """A program of its own container, or one that is added to it."""
    return Run(engine, engine.ready(READY) if request.param == "exec" else "")


class Run:
    def __init__(self, engine: Podman, box: str) -> None:
        self.engine = engine
        self.box = box

    def words(self, options: tuple[str, ...], script: str) -> list[str]:
        shell = ("sh", "-c", script)
        if self.box:
            return ["exec", *options, self.box, *shell]
        return ["run", "--rm", "--name", self.engine.name(), *self.engine.options, *options, "busybox", *shell]

    def __call__(self, script: str, *options: str, input: str | None = None) -> Done:
        return self.engine(*self.words(options, script), input=input)

    def start(self, script: str, *options: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        return self.engine.start(*self.words(options, script), stdin=stdin, stdout=subprocess.PIPE)


@everywhere
def test_they_are_pipes(program: Run) -> None:
    assert program(KINDS, "-i", input="").stdout == "0 is a pipe\n1 is a pipe\n2 is a pipe\n"


def test_a_list_has_a_name_in_each_line(program: Run) -> None:
    assert program("ls --color=auto -d /bin /etc").stdout == "/bin\n/etc\n"


BY_NAME = "cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr; echo fd >/proc/self/fd/1"


@pytest.mark.parametrize("user", ["0", "1000"])
def test_they_can_be_opened_by_their_names(program: Run, user: str) -> None:
    done = program(BY_NAME, "-i", "--user", user, input="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "in\nout\nfd\n", "err\n")


@pytest.mark.usefixtures("not_with_runc")
def test_they_can_be_opened_by_the_one_id_that_there_is(squashed_podman: Podman) -> None:
    done = squashed_podman.run("--rm", "-i", "--user", "1000", "busybox", "sh", "-c", BY_NAME, input="in\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "in\nout\nfd\n", "err\n")


def test_parts_of_lines_come_at_once_in_both_directions(program: Run) -> None:
    """Each waits for the other, and no line ever ends."""
    process = program.start("for i in 1 2 3; do head -c 1; done; printf end", "-i", stdin=subprocess.PIPE)
    assert process.stdin
    assert process.stdout
    for letter in (b"a", b"b", b"c"):
        process.stdin.write(letter)
        process.stdin.flush()
        assert process.stdout.read(1) == letter
    assert process.stdout.read() == b"end"


def test_nothing_is_lost(program: Run) -> None:
    """All of it, and of the last piece every byte, though the program ends at once."""
    process = program.start(f"yes 0123456789 | head -c {WHOLE}; printf end")
    assert process.stdout
    digest, count, last = hashlib.sha256(), 0, b""
    while piece := process.stdout.read(1 << 16):
        digest.update(piece)
        count += len(piece)
        last = (last + piece)[-3:]
    expected = hashlib.sha256((b"0123456789\n" * (WHOLE // 11 + 1))[:WHOLE] + b"end")
    assert (count, last, process.wait(30)) == (WHOLE + 3, b"end", 0)
    assert digest.digest() == expected.digest()


def test_a_slow_reader_gets_all(program: Run) -> None:
    process = program.start(f"yes 0123456789 | head -c {4 << 20}; printf end")
    assert process.stdout
    begin = process.stdout.read(1)
    assert process.poll() is None
    end = time.monotonic() + 3.0
    while time.monotonic() < end:  # a few bytes now and then, while the program has long been through or is held up
        begin += process.stdout.read(1)
    assert len(begin + process.stdout.read()) == (4 << 20) + 3


def test_the_end_of_the_output_is_not_the_end_of_the_program(program: Run) -> None:
    done = program("exec >&-; echo err >&2; exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "err\n")


def test_signals_are_as_a_program_expects_them(podman: Podman) -> None:
    status = podman.run("--rm", "busybox", "grep", "-E", "SigBlk|SigIgn", "/proc/self/status").stdout
    assert [int(line.split()[1], 16) for line in status.splitlines()] == [0, 0]


@pytest.mark.usefixtures("not_with_runc")
def test_what_is_left_in_the_background_of_an_added_program_holds_nobody_up(engine: Podman) -> None:
    box = engine.ready(READY)
    done = engine("exec", box, "sh", "-c", f"head -c {1 << 20} /dev/zero; sleep 1000 & exit 7", timeout=60)
    assert (done.returncode, len(done.stdout)) == (7, 1 << 20)


@pytest.mark.parametrize("options", [(), ("--pid=host",)])
def test_the_carrier_is_killed(podman: Podman, options: tuple[str, ...]) -> None:
    """Whatever carries the bytes on the node: another one goes on, and nothing that comes later is lost."""
    name = podman.name()
    process = podman.start(
        "run", "--name", name, *options, "-i", "busybox", "sh", "-c", "echo one; read x; echo two; exit 3",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stdout.readline() == b"one\n"
    step = podman.id(name)
    carriers = podman.runner(["pgrep", "-f", f"{step}.*/node/streams pass"]).stdout.split()
    assert carriers
    [cat] = podman.runner(["pgrep", "-x", "cat", "--parent", ",".join(carriers)]).stdout.split()
    os.kill(int(cat), 9)
    # One that gets bytes in the moment in which it is to die takes them along.
    wait_until(lambda: not alive(int(cat)))
    process.stdin.write(b"\n")
    process.stdin.close()
    assert (process.stdout.read(), process.wait(60)) == (b"two\n", 3)


def test_a_container_of_several_nodes(podman: Podman) -> None:
    script = "test -p /proc/self/fd/1 && for i in 1 2 3; do echo line $i; done; printf x >/dev/stdout"
    done = podman.run("--rm", "--annotation", "scrun.nodes=3", "busybox", "sh", "-c", script)
    lines = [line.strip("x") for line in done.stdout.splitlines()]
    assert sorted(filter(None, lines)) == sorted(["line 1", "line 2", "line 3"] * 3)
    assert done.stdout.count("x") == 3


def test_nothing_of_several_nodes_is_left_on_them(podman: Podman, cluster: Any, wait_until: Any) -> None:
    """Each task's pipe is in a directory of slurmd's, which slurmd removes if it is empty."""
    name = podman.ready(READY, "--annotation", "scrun.nodes=2")
    job = podman.job(podman.id(name))
    match = re.search(r"^SlurmdSpoolDir=(.*)$", pathlib.Path(cluster.slurm_conf).read_text(), re.MULTILINE)
    assert match
    spool = pathlib.Path(match[1].replace("%n", "."))
    assert len(list(spool.glob(f"*/oci-job{job:05}-*"))) == 2
    podman.ok("kill", name)
    wait_until(lambda: not list(spool.glob(f"*/oci-job{job:05}-*")), 20, what="slurmd's directories are gone")


FAILURES = {
    "interpreter": ("#!/no/such/program\n", 0o755, 127, "no such file or directory: the image lacks the interpreter"),
    "machine": ("\x7fELF of another machine\n", 0o755, 126, "exec format error"),
    "rights": ("#!/bin/sh\n", 0o700, 126, "permission denied"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_why_a_program_does_not_start(podman: Podman, kind: str) -> None:
    """What only shows when it is executed: before, it is a file that somebody may execute."""
    content, mode, status, why = FAILURES[kind]
    name = podman.create("--user", "1000", "busybox", "/program")
    root = podman.runner(["mktemp", "-d", "/home/scruntest/program-XXXXXX"]).stdout.strip()
    try:
        podman.runner(["sh", "-c", 'cat >"$0"; chmod "$1" "$0"', f"{root}/program", f"{mode:o}"], content)
        podman.ok("cp", "--archive=false", f"{root}/program", f"{name}:/program")
        done = podman("start", "--attach", name)
        assert done.returncode == status
        assert f"exec /program: {why}" in done.stderr
    finally:
        podman.runner(["rm", "-r", root])


def test_a_terminal_is_the_programs_own(screen: Screen) -> None:
    """It controls it: ^C reaches what runs in the foreground, and nothing else; ^Z stops it; it has a name."""
    engine = screen.engine
    screen.run("run", "--rm", "--name", engine.name(), *engine.options, "-it", "busybox", "sh", "-i")
    screen.wait_until(lambda: "# " in screen.read(), 40)

    def answer(keys: str, text: str) -> None:
        screen.type(keys)
        screen.expect(text)

    answer("tty | sed s/^/at''/\n", "at/dev/")
    # (a key before the shell has read the line would throw the line away)
    answer("echo on''e; sleep 1000\n", "one")

    def press(key: str, keys: str, text: str) -> None:
        """Press a key, again and again, until the shell answers once more."""

        def told() -> bool:
            screen.type(key)
            screen.type(keys)
            return text in screen.read()

        screen.wait_until(told, 30, interval=0.5)

    press("\x03", "echo interrup''ted\n", "interrupted")
    answer("echo tw''o; sleep 2000\n", "two")
    press("\x1a", "jobs\n", "Stopped")

    def left() -> bool:
        screen.type("exit 9\n")  # a shell with a stopped job wants to hear it twice
        return screen.ended()

    screen.wait_until(left, 40, interval=0.5)
    assert screen.exit_code() == 9
