from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from actors.staging.commands import Commands

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

ENVIRON = (b"PATH=/usr/bin:/bin", b"WORD=a=b", b"ODD=\xff", b"no equals sign")


def no_remote(command: bytes) -> tuple[list[bytes], list[bytes]]:
    raise AssertionError(command)


@pytest.fixture
def run() -> Commands:
    return Commands(ENVIRON, no_remote, lambda *_: None)


def test_status_and_output(run: Commands) -> None:
    result = run.allocator(b"echo out; echo err >&2; exit 3")
    assert (result.status, result.output) == (3, b"out\nerr\n")


@pytest.mark.parametrize("signal", [9, 15])
def test_a_death_by_signal_is_never_success(run: Commands, signal: int) -> None:
    assert run.allocator(b"kill -%d $$" % signal).status == 128 + signal


def test_the_environment_is_the_jobs_and_nothing_else(run: Commands) -> None:
    output = run.allocator(b"exec env").output.splitlines()
    assert {b"WORD=a=b", b"ODD=\xff"} <= set(output)
    assert not any(line.startswith((b"HOME=", b"PYTEST")) for line in output)


def test_there_is_no_input_and_no_other_descriptor(run: Commands) -> None:
    ours = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(ours, True)
    try:
        result = run.allocator(b"cat; exec ls -l /proc/self/fd")
    finally:
        os.close(ours)
    numbers = [line.split()[-3] for line in result.output.splitlines()[1:]]
    assert numbers == [b"0", b"1", b"2", b"3"]  # the last is the directory that ls reads


def test_it_stays_in_the_process_group(run: Commands) -> None:
    assert int(run.allocator(b"ps -o pgid= -p $$").output) == os.getpgrp()


def test_output_after_a_nul_byte_is_kept(run: Commands) -> None:
    assert run.allocator(rb"printf 'a\0b\377'").output == b"a\0b\xff"


def test_output_is_bounded_and_says_so() -> None:
    run = Commands(ENVIRON, no_remote, lambda *_: None, limit=1000)
    result = run.allocator(b"head -c 300000 /dev/zero | tr '\\0' x; exit 4")
    assert result.status == 4
    assert result.output.startswith(b"x" * 1000 + b"\n[scrun:")
    assert len(result.output) < 1200


@pytest.fixture
def background() -> Iterator[list[int]]:
    pids: list[int] = []
    yield pids
    for pid in pids:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def test_what_is_left_in_the_background_is_not_waited_for(run: Commands, background: list[int]) -> None:
    result = run.allocator(b"sleep 300 & echo $!")
    background.append(int(result.output))
    assert result.status == 0


def test_what_goes_on_writing_is_not_waited_for(run: Commands, background: list[int]) -> None:
    result = run.allocator(b"yes & echo pid $! >&2; exit 5")
    background.append(int(result.output.split(b"pid ", 1)[1].split()[0]))
    assert result.status == 5


def test_a_command_that_is_not_there_has_the_shells_status(run: Commands) -> None:
    result = run.run([b"/no/such/command"])
    assert result.status == 127
    assert b"/no/such/command" in result.output


def test_a_remote_command_has_its_own_line_and_environment() -> None:
    def remote(command: bytes) -> tuple[list[bytes], list[bytes]]:
        return [b"/bin/sh", b"-c", b'echo "$WHERE: $1"', b"sh", command], [b"WHERE=nodes"]

    run = Commands(ENVIRON, remote, lambda *_: None)
    assert run.remote(b"hostname").output == b"nodes: hostname\n"


def test_each_command_is_logged() -> None:
    lines: list[str] = []
    Commands(ENVIRON, no_remote, lambda _, text: lines.append(text)).run([b"/bin/echo", b"\xff"])
    assert lines[0] == "command: /bin/echo \\xff"
    assert "status 0" in lines[1]


def test_no_child_is_left_when_reading_fails(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []

    def fails(self: Commands, process: subprocess.Popen[bytes], pipe: object) -> bytes:
        started.append(process)
        raise MemoryError

    monkeypatch.setattr(Commands, "_read", fails)
    with pytest.raises(MemoryError):
        run.allocator(b"exec sleep 300")
    assert started[0].returncode == -9
