"""The launcher of a program that ``exec`` adds: started, watched until the program runs, and then left alone.

Its process is what the engine gets as the program's: srun passes bytes and exit status, a signal that ends srun ends
the step, and when srun is killed outright a second process of its own ends the step. So nothing of scrun's stays.

But for a terminal: see ``Launcher.keep_window``.
"""

import os
import select
import signal
import stat
from collections.abc import Callable

from actors.allocation.step import WINDOW_AGAIN
from actors.process.command import Command
from actors.process.forking import become, close_all_but, default_signals, detach_stdio, name_process
from actors.process.spool import Looks
from actors.slurm.scheduler import STDERR, StepNews
from proto.errors import LaunchError, ScrunError
from proto.exit_codes import NOT_FOUND, of_wait_status
from proto.host.terminal import take

PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_TEXT_LIMIT = 1 << 20


class Launcher:
    """One command, and what it says itself, which goes into a file without a name."""

    def __init__(self, command: Command, read: Callable[[str], StepNews]) -> None:
        self._command = command
        self._read = read
        self._said = os.memfd_create("launcher")
        self._ended = select.poll()
        self._handle = -1
        self._cat = 0
        self.pid = 0

    def start(self, terminal: int | None, *, session: bool) -> None:
        """Start it with this process's streams, or with a terminal and nothing else; in a session of its own or not.

        The engine may wait for the end of the standard error that it gave us, for all output is the terminal's.
        """
        files = {0: 0, 1: 1, STDERR: self._stderr()} if terminal is None else {0: terminal, 1: terminal}
        # A signal to pass on waits until there is a process to pass it to.
        signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        self.pid = os.fork()
        if not self.pid:
            self._become({**files, 2: self._said}, session)
        if self._cat:
            os.close(files[STDERR])
        self._handle = os.pidfd_open(self.pid)
        self._ended.register(self._handle, select.POLLIN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)

    def wait_running(self) -> None:
        """Wait until the program runs.

        Raises:
            LaunchError: the launcher ended before.

        """
        looks = Looks()
        while not self._news().started:
            if not self._ended.poll(looks.next() * 1000):
                continue
            news = self._news()
            if not news.started:
                said = news.failure or "; ".join(news.messages)
                raise LaunchError(said or "the step ended before the program ran; try again")

    def signal(self, number: int) -> None:
        """Give it a signal; an ended one is no error."""
        try:
            signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            pass

    def pass_signals_on(self) -> None:
        """Give it the signals that this process gets; one that comes before it is there ends this process."""

        def handle(number: int, _: object) -> None:
            if self._handle < 0:
                raise KeyboardInterrupt
            self.signal(number)

        for number in PASSED_ON:
            signal.signal(number, handle)

    def wait(self) -> int:
        """Wait for its end; return the program's exit status."""
        _, status = os.waitpid(self.pid, 0)
        if self._cat:
            os.waitpid(self._cat, 0)
        return of_wait_status(status)

    def keep_window(self, slave: int) -> None:
        """Leave a process behind whose controlling terminal this is, until the launcher ends.

        srun must not have it itself: the kernel's SIGWINCH comes at any time, and srun cannot bear it before the
        program runs (see ``actors.anchor.window``). The end of the engine, SIGHUP, is passed on as well.
        """
        if os.fork():
            return
        try:
            os.setsid()
            default_signals()
            name_process("scrun-window")
            take(slave)
            detach_stdio()
            close_all_but({0, 1, 2, self._said, self._handle})
            signal.signal(signal.SIGHUP, lambda number, _: self.signal(number))
            self.wait_running()
            signal.signal(signal.SIGWINCH, lambda number, _: self.signal(number))
            self.signal(signal.SIGWINCH)
            self._ended.poll(WINDOW_AGAIN * 1000)
            self.signal(signal.SIGWINCH)
            self._ended.poll()
        except ScrunError:
            pass
        finally:
            os._exit(0)

    def _stderr(self) -> int:
        """Standard error as srun takes it: opened anew, with O_TRUNC.

        That empties a file, fails with a socket and with what belongs to another user, and blocks on a pipe
        without a reader. There cat(1) writes instead. An engine's pipe is given as it is: what came after srun's end,
        even by an instant, would be lost.
        """
        try:
            if not stat.S_ISREG(os.fstat(2).st_mode):
                os.close(os.open("/proc/self/fd/2", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC))
                return 2
        except OSError:
            pass
        reading, writing = os.pipe()
        actions = [
            (os.POSIX_SPAWN_DUP2, reading, 0),
            (os.POSIX_SPAWN_DUP2, 2, 1),
            (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
        ]
        self._cat = os.posix_spawn("/bin/cat", ["cat"], {}, file_actions=actions, setpgroup=0)
        os.close(reading)
        return writing

    def _news(self) -> StepNews:
        return self._read(os.pread(self._said, _TEXT_LIMIT, 0).decode(errors="replace"))

    def _become(self, files: dict[int, int], session: bool) -> None:
        """In the child: never returns."""
        try:
            if session:
                os.setsid()
            become(self._command.argv, self._command.env, files, "/")
        except BaseException as error:
            os.write(2, f"error: cannot start {self._command.argv[0]!r}: {error}\n".encode())
        finally:
            os._exit(NOT_FOUND)
