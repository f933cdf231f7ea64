"""The terminal with a real engine's end: a listening socket that takes the master."""

import os
import re
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from proto.errors import LaunchError
from proto.host import terminal
from tests import census

pytestmark = pytest.mark.process

DEADLINE = 10.0
MISREAD = re.compile("no such file or directory|permission denied|operation not permitted", re.IGNORECASE)


class Engine:
    """What conmon does: listen, accept once, take one message with one descriptor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.messages: list[bytes] = []
        self.masters: list[int] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # bind() knows no more than 107 bytes either.
        directory = os.open(path.parent, os.O_PATH)
        self._socket.bind(f"/proc/self/fd/{directory}/{path.name}")
        os.close(directory)
        self._socket.listen(1)
        self._socket.settimeout(DEADLINE)
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        peer, _ = self._socket.accept()
        with peer:
            peer.settimeout(DEADLINE)
            while True:
                message, fds, _, _ = socket.recv_fds(peer, 4096, 8)
                if not message:
                    return
                self.messages.append(message)
                self.masters += fds

    def master(self) -> int:
        self._thread.join(DEADLINE)
        return self.masters[0]

    def close(self) -> None:
        self._thread.join(DEADLINE)
        self._socket.close()
        for fd in self.masters:
            os.close(fd)
        self.masters = []


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    peer = Engine(tmp_path / "console.sock")
    yield peer
    peer.close()


def read_until(fd: int, what: bytes) -> bytes:
    seen = b""
    while what not in seen:
        assert select.select([fd], [], [], DEADLINE)[0], f"{what!r} did not come, only {seen!r}"
        seen += os.read(fd, 4096)
    return seen


def program(slave: int, code: str) -> subprocess.Popen[bytes]:
    """Run Python code as the anchor: it leads a session, and the slave is its terminal."""
    return subprocess.Popen(
        [sys.executable, "-ISc", code],
        stdin=slave,
        stdout=slave,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: terminal.take(0),  # noqa: PLW1509 - no other thread runs by then
    )


@pytest.mark.slice
def test_the_engine_gets_name_and_master_in_one_message(engine: Engine) -> None:
    before = set(census.descriptors(os.getpid()).values())
    slave = terminal.open_terminal(str(engine.path), (24, 80))
    master = engine.master()
    try:
        assert engine.messages == [os.ttyname(slave).encode()]
        assert len(engine.masters) == 1
        assert not os.get_inheritable(slave)
        os.write(slave, b"hello\n")
        assert read_until(master, b"hello") == b"hello\r\n"
        # Of the master, this process has only the engine's copy.
        names = [n for n in census.descriptors(os.getpid()).values() if n.endswith("/ptmx") and n not in before]
        assert len(names) == 1
    finally:
        os.close(slave)


@pytest.mark.parametrize(("size", "seen"), [(None, (0, 0)), ((33, 77), (33, 77)), ((70000, -1), (65535, 0))])
def test_console_size_is_there_from_the_beginning(
    engine: Engine, size: tuple[int, int] | None, seen: tuple[int, int]
) -> None:
    slave = terminal.open_terminal(str(engine.path), size)
    assert terminal.window_size(engine.master()) == seen
    terminal.set_window_size(engine.master(), 5, 6)
    assert terminal.window_size(slave) == (5, 6)
    os.close(slave)


def test_no_terminal_no_size() -> None:
    with open(os.devnull, "rb") as null:
        assert terminal.window_size(null.fileno()) == (0, 0)
        with pytest.raises(OSError, match="ioctl"):
            terminal.set_window_size(null.fileno(), 1, 1)


def test_long_paths(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100) / ("e" * 100)
    deep.mkdir(parents=True)
    engine = Engine(deep / ("s" * 90))
    assert len(str(engine.path)) > 250
    os.close(terminal.open_terminal(str(engine.path)))
    assert engine.master() >= 0
    engine.close()


@pytest.mark.parametrize("case", ["missing", "no directory", "a file", "nobody", "datagram"])
def test_one_sentence_that_podman_does_not_misread(tmp_path: Path, case: str) -> None:
    path = tmp_path / "console.sock"
    keep = None
    if case == "no directory":
        path = tmp_path / "file" / "console.sock"
        (tmp_path / "file").touch()
    elif case == "a file":
        path.touch()
    elif case == "nobody":
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
    elif case == "datagram":
        keep = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        keep.bind(str(path))
    before = census.descriptors(os.getpid())
    with pytest.raises(LaunchError) as caught:
        terminal.open_terminal(str(path))
    assert census.descriptors(os.getpid()) == before
    if keep is not None:
        keep.close()
    sentence = str(caught.value)
    assert str(path) in sentence
    assert "\n" not in sentence
    assert not MISREAD.search(sentence)


def test_an_engine_that_does_not_accept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "CONSOLE_TIMEOUT", 0.05)
    path = tmp_path / "console.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))  # the queue is full now
        with pytest.raises(LaunchError, match="no answer in time"):
            terminal.open_terminal(str(path))


@pytest.mark.slice
def test_resize_reaches_the_program(engine: Engine) -> None:
    slave = terminal.open_terminal(str(engine.path), (24, 80))
    master = engine.master()
    code = (
        "import os, signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGWINCH})\n"
        "print('tty', os.isatty(0), os.isatty(1), os.isatty(2), *os.get_terminal_size(0), flush=True)\n"
        "signal.sigwait({signal.SIGWINCH})\n"
        "print('size', *os.get_terminal_size(0))\n"
    )
    with program(slave, code) as child:
        os.close(slave)
        assert b"tty True True False 80 24" in read_until(master, b"\n")
        terminal.set_window_size(master, 50, 132)
        assert b"size 132 50" in read_until(master, b"\n")
        assert child.wait(DEADLINE) == 0


def test_the_interrupt_key_is_a_byte_from_the_beginning(engine: Engine) -> None:
    slave = terminal.open_terminal(str(engine.path))
    master = engine.master()
    code = "import os\nos.write(1, b'ready')\nos.write(1, os.read(0, 1).hex().encode())"
    with program(slave, code) as child:
        os.close(slave)
        read_until(master, b"ready")
        os.write(master, b"\x03")
        assert b"03" in read_until(master, b"03")
        assert child.wait(DEADLINE) == 0


@pytest.mark.slice
def test_the_engines_end_hangs_up_the_program(engine: Engine) -> None:
    slave = terminal.open_terminal(str(engine.path))
    with program(slave, "import signal\nprint('ready', flush=True)\nsignal.pause()") as child:
        read_until(engine.master(), b"ready")
        engine.close()
        assert child.wait(DEADLINE) == -signal.SIGHUP
    # What the anchor keeps is dead now, but does not hurt.
    assert os.read(slave, 1) == b""
    with pytest.raises(OSError, match="Input/output"):
        os.write(slave, b"x")
    assert terminal.window_size(slave) == (0, 0)
    os.close(slave)


def test_nothing_is_lost_when_the_program_ends(engine: Engine) -> None:
    slave = terminal.open_terminal(str(engine.path))
    master = engine.master()
    with program(slave, "print('x' * 3000)") as child:
        assert child.wait(DEADLINE) == 0  # before anybody has read
    os.write(slave, b"late")
    assert read_until(master, b"late") == b"x" * 3000 + b"\nlate"
    os.close(slave)
    with pytest.raises(OSError, match="Input/output"):
        os.read(master, 1)


def test_only_a_session_leader_can_take_it(engine: Engine) -> None:
    slave = terminal.open_terminal(str(engine.path))
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            terminal.take(slave)
        except LaunchError as error:
            status = 0 if not MISREAD.search(str(error)) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert termios.tcgetattr(slave)
    os.close(slave)
