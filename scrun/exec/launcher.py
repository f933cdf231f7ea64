"""The launcher of a program that ``exec`` adds: srun, or on this machine the runtime, started and watched."""

import fcntl
import os
import select

from actors.process.forking import become
from actors.process.looks import Looks
from proto.errors import LaunchError
from proto.exit_codes import NOT_FOUND, of_wait_status

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal

    from actors.slurm.enter import Entering
    from actors.slurm.step_news import StepNews
else:
    import _signal as signal  # without the enumerations, which take 8 ms

PASSED_ON = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
LEASH = signal.SIGUSR2
"""What the launcher gets when the process that started it ends: srun brings it to the node's script, which ends with it
and the program with that, but for what the program has left in the background."""
_LEASH_END = 9
"""Its descriptor of the pipe whose other end that process has. The kernel tells of such an end by any signal (fcntl(2),
F_SETSIG); PR_SET_PDEATHSIG would need ctypes, 6 ms."""
_TEXT_LIMIT = 1 << 20


class Launcher:
    """One command, and what it says itself, which goes into a file without a name.

    Attributes:
        mark: see ``Entering``.
        handle: pidfd of its process, or of another one that ends as it does.

    """

    def __init__(self, entering: "Entering") -> None:
        self.mark = entering.mark
        self.handle = -1
        self._command = entering.command
        self._read = entering.read
        self._said = os.memfd_create("launcher")
        self._leash = -1
        self._pid = 0

    @property
    def descriptors(self) -> set[int]:
        """What the process that starts it needs."""
        return {self._said}

    def start(self, files: dict[int, int]) -> None:
        """Start it with these descriptors."""
        # A signal to pass on waits until there is a process to pass it to.
        signal.pthread_sigmask(signal.SIG_BLOCK, PASSED_ON)
        held, self._leash = os.pipe()
        self._pid = os.fork()
        if not self._pid:
            self._become({**files, 2: self._said, _LEASH_END: held})
        os.close(held)
        self.handle = os.pidfd_open(self._pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, PASSED_ON)

    def running(self) -> bool:
        """Whether the program runs, or has run."""
        return self._news().started

    def why_not(self) -> LaunchError:
        """Why it never ran, when the launcher has ended."""
        news = self._news()
        said = news.failure or "; ".join(news.messages)
        return LaunchError(said or "the step ended before the program ran; try again")

    def wait_running(self) -> None:
        """Wait until the program runs.

        Raises:
            LaunchError: the launcher ended before.

        """
        ended = select.poll()
        ended.register(self.handle, select.POLLIN)
        looks = Looks()
        while not self.running():
            if ended.poll(looks.next() * 1000) and not self.running():
                raise self.why_not()

    def signal(self, number: int) -> None:
        """Give it a signal; an ended one is no error."""
        try:
            signal.pidfd_send_signal(self.handle, number)
        except ProcessLookupError:
            pass

    def pass_signals_on(self) -> None:
        """Give it the signals that this process gets; one that comes before it is there ends this process."""

        def handle(number: int, _: object) -> None:
            if self.handle < 0:
                raise KeyboardInterrupt
            self.signal(number)

        for number in PASSED_ON:
            signal.signal(number, handle)

    def wait(self) -> int:
        """Wait for its end; return the program's exit status."""
        _, status = os.waitpid(self._pid, 0)
        return of_wait_status(status)

    def let_go(self) -> None:
        """In a child of the process that started it: have no part in its leash."""
        os.close(self._leash)

    def _news(self) -> "StepNews":
        return self._read(os.pread(self._said, _TEXT_LIMIT, 0).decode(errors="replace"))

    def _become(self, files: dict[int, int]) -> None:
        """In the child: never returns."""
        try:
            # (If the parent has ended, the end comes when this process closes its own copy of the other end.)
            fcntl.fcntl(files[_LEASH_END], fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(files[_LEASH_END], fcntl.F_SETSIG, LEASH)
            fcntl.fcntl(files[_LEASH_END], fcntl.F_SETFL, os.O_ASYNC)
            os.setsid()
            become(self._command.argv, self._command.env, files, "/")
        except BaseException as error:
            os.write(2, f"error: cannot start {self._command.argv[0]!r}: {error}\n".encode())
        finally:
            os._exit(NOT_FOUND)
