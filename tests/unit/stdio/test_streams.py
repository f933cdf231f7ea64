import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.stdio.streams import Facts, Kind, Plan, Route, facts, plan, same_file
from tests.conftest import CHECKOUT

pytestmark = pytest.mark.unit


@contextmanager
def opened(*fds: int) -> Iterator[tuple[int, ...]]:
    try:
        yield fds
    finally:
        for fd in fds:
            os.close(fd)


def test_kinds_are_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "file"
    one, two = socket.socketpair()
    with (
        one,
        two,
        opened(*os.pipe(), *os.openpty()) as (pipe_read, pipe_write, master, slave),
        opened(
            os.open(os.devnull, os.O_RDWR),
            os.open("/dev/zero", os.O_RDWR),
            os.open(file, os.O_CREAT | os.O_RDWR),
            os.open(tmp_path, os.O_RDONLY),
        ) as (null, zero, regular, directory),
    ):
        assert facts(pipe_read).kind is Kind.FIFO
        assert facts(pipe_write).kind is Kind.FIFO
        assert facts(one.fileno()).kind is Kind.SOCKET
        assert facts(null).kind is Kind.NULL
        assert facts(zero).kind is Kind.OTHER
        assert facts(regular).kind is Kind.FILE
        assert facts(directory).kind is Kind.OTHER
        assert facts(slave).kind is Kind.TTY
        assert facts(master).kind is Kind.TTY


def test_closed_descriptor_is_an_error() -> None:
    fd = os.open(os.devnull, os.O_RDONLY)
    os.close(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        facts(fd)


def test_one_file_is_found_through_different_descriptors(tmp_path: Path) -> None:
    path, other = tmp_path / "a", tmp_path / "b"
    flags = os.O_CREAT | os.O_WRONLY
    with opened(os.open(path, flags), os.open(path, flags), os.open(other, flags)) as (one, again, another):
        assert same_file(facts(one), facts(again))
        assert not same_file(facts(one), facts(another))


def test_a_shared_pipe_is_not_one_file() -> None:
    assert not same_file(Facts(Kind.FIFO, 1, 2), Facts(Kind.FIFO, 1, 2))


@pytest.mark.parametrize("kind", list(Kind))
def test_only_pipes_and_sockets_are_forwarded(kind: Kind) -> None:
    expected = Route.FORWARD if kind in {Kind.FIFO, Kind.SOCKET} else Route.DIRECT
    assert plan(kind, Kind.NULL, Kind.NULL, terminal=False).stdin is expected
    assert plan(Kind.NULL, kind, Kind.NULL, terminal=False).stdout is expected


def test_stderr_is_never_direct() -> None:
    for kind_in, kind_out, kind_err in itertools.product(Kind, Kind, Kind):
        assert plan(kind_in, kind_out, kind_err, terminal=False).stderr is Route.FORWARD


def test_terminal_takes_all_three() -> None:
    for kind_in, kind_out, kind_err in itertools.product(Kind, Kind, Kind):
        chosen = plan(kind_in, kind_out, kind_err, terminal=True)
        assert chosen == Plan(Route.TERMINAL, Route.TERMINAL, Route.TERMINAL)
        assert chosen.forwarded() == ()


def test_one_file_for_both_is_forwarded() -> None:
    chosen = plan(Kind.NULL, Kind.FILE, Kind.FILE, terminal=False, one_file=True)
    assert chosen.forwarded() == ("stdout", "stderr")


def test_what_podman_gives() -> None:
    detached = plan(Kind.NULL, Kind.FIFO, Kind.FIFO, terminal=False)
    interactive = plan(Kind.FIFO, Kind.FIFO, Kind.FIFO, terminal=False)
    assert detached.forwarded() == ("stdout", "stderr")
    assert interactive.forwarded() == ("stdin", "stdout", "stderr")


MENDED = """
import os, sys
sys.path.insert(0, sys.argv[1])
from actors.stdio.null import mend
mend()
with open(sys.argv[2], "w") as file:
    print(*(os.path.basename(os.readlink(f"/proc/self/fd/{number}")) for number in (0, 1, 2)), file=file)
"""


@pytest.mark.parametrize(
    ("streams", "seen"),
    [
        ("<in >out 2>>out", "in out out"),
        ("0<>in 1<>out 2>/dev/full", "in out full"),
        ("0>in 1<in 2<in", "null null null"),
        ("<in 1<in 2>out", "in null out"),
    ],
)
def test_a_stream_that_is_open_the_wrong_way_becomes_dev_null(tmp_path: Path, streams: str, seen: str) -> None:
    (tmp_path / "in").touch()
    words = [sys.executable, "-IS", "-c", MENDED, str(CHECKOUT), "seen"]
    script = f'exec "$@" {streams}'
    assert subprocess.run(["/bin/sh", "-c", script, "sh", *words], cwd=tmp_path, check=False).returncode == 0
    assert (tmp_path / "seen").read_text() == f"{seen}\n"


def test_a_path_without_rights_becomes_dev_null(tmp_path: Path) -> None:
    with opened(os.open("/dev/zero", os.O_PATH)) as (path,):
        words = [sys.executable, "-IS", "-c", MENDED, str(CHECKOUT), str(tmp_path / "seen")]
        assert subprocess.run(words, stdin=path, stdout=path, stderr=path, check=False).returncode == 0
    assert (tmp_path / "seen").read_text() == "null null null\n"


def test_what_is_no_stream_becomes_dev_null(tmp_path: Path) -> None:
    with opened(os.eventfd(0)) as (number,):
        words = [sys.executable, "-IS", "-c", MENDED, str(CHECKOUT), str(tmp_path / "seen")]
        assert subprocess.run(words, stdin=number, stdout=number, stderr=number, check=False).returncode == 0
    assert (tmp_path / "seen").read_text() == "null null null\n"
