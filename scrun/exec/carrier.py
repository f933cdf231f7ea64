"""Who stands between a caller and the launcher of ``exec``: carries the streams, and ends as the program does.

Its process is what the engine gets as the program's. srun could be that itself, if it did not have to live on for what
the program has left in the background: ``end_mark`` tells that the program has ended, then this process does, too.
What still has the program's standard output goes on writing into it, by a process without a name that is left behind.
"""

import os
import select

from actors.process.forking import close_all_but, default_signals, detach_stdio, name_process
from actors.process.looks import Looks
from actors.process.pipes import PIPE_SIZE, make_pipe
from actors.slurm.step_news import STDERR, WINDOW_AGAIN
from actors.stdio.mover import State, Stream
from proto.exit_codes import INTERNAL

from .end_mark import EndMark
from .launcher import PASSED_ON, Launcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
else:
    import _signal as signal  # without the enumerations, which take 8 ms

STEPS = 16
"""Chunks that one stream may move before the others get their turn."""
SILENCE = 200
"""Milliseconds after the launcher's end in which its terminal, if another process has it open, brings the rest."""


class Carrier:
    """The streams of one program, which are pipes, or a terminal."""

    def __init__(self, launcher: Launcher, slave: int | None = None) -> None:
        """Open what is between.

        Args:
            launcher: not started yet.
            slave: the caller's terminal; without one there are descriptors 0, 1 and 2.

        """
        self._launcher = launcher
        self._slave = slave
        self._inner = -1
        self._output, self._errors = EndMark(launcher.mark), EndMark(launcher.mark)
        self._errors.ended = slave is not None
        self._streams: dict[str, Stream] = {}
        self._targets: dict[str, int] = {}
        if not launcher.mark:
            self._files = {0: 0, 1: 1, STDERR: 2} if slave is None else {0: slave, 1: slave}
        elif slave is None:
            self._files = self._pipes()
        else:
            self._files = self._terminal(slave)

    def run(self, running: "Callable[[], None]") -> int:
        """Start the program and carry until it ends; return its exit status.

        Args:
            running: called when it runs.

        Raises:
            LaunchError: the launcher ended before that.

        """
        self._launcher.start(self._files)
        for number in set(self._files.values()) - {0, 1, 2, self._slave}:
            os.close(number)
        looks = Looks()
        while not self._launcher.running():
            if self._carry(looks.next() * 1000) and not self._launcher.running():
                raise self._launcher.why_not()
        if self._slave is not None:
            self._follow_window()
        running()
        while not self._carry(None):
            if self._output.status is not None and self._errors.ended:
                return self._leave(self._output.status)
        self._drain()
        return self._launcher.wait()

    def _pipes(self) -> dict[int, int]:
        (reading, stdin), (stdout, writing), (stderr, failing) = make_pipe(), make_pipe(), make_pipe()
        self._add("stdin", 0, stdin)
        self._add("stdout", stdout, 1, self._output)
        self._add("stderr", stderr, 2, self._errors)
        return {0: reading, 1: writing, STDERR: failing}

    def _terminal(self, slave: int) -> dict[int, int]:
        """Another terminal for srun, of the same size."""
        import tty

        self._inner, inner_slave = os.openpty()
        os.set_blocking(self._inner, False)
        tty.setraw(inner_slave)
        self._copy_size(slave)
        self._add("stdin", slave, self._inner)
        self._add("stdout", self._inner, slave, self._output)
        return {0: inner_slave, 1: inner_slave}

    def _add(self, name: str, source: int, target: int, mark: EndMark | None = None) -> None:
        sift = mark.sift if mark else None
        self._streams[name] = Stream(source, target, name, drain=bool(mark), sift=sift, chunk=PIPE_SIZE)
        self._targets[name] = target

    def _carry(self, timeout: float | None) -> bool:
        """Carry what there is, or wait for it; whether the launcher has ended."""
        wanted = self._wanted()
        wanted[self._launcher.handle] = select.POLLIN
        ready = _wait(wanted, timeout)
        self._move()
        return self._launcher.handle in ready

    def _wanted(self) -> dict[int, int]:
        """What to poll; a terminal is the source of one stream and the target of another."""
        found: dict[int, int] = {}
        for stream in self._streams.values():
            for number, mask in stream.wants():
                found[number] = found.get(number, 0) | mask
        return found

    def _move(self) -> None:
        for name, stream in list(self._streams.items()):
            for _ in range(STEPS):
                if not stream.step().count:
                    break
            if not stream.wants():
                stream.close()
                del self._streams[name]
                if name == "stdin" and self._inner < 0:
                    os.close(self._targets[name])  # the far side waits for the end of file

    def _drain(self) -> None:
        """Carry what is on its way when the launcher has ended."""
        self._streams.pop("stdin", None)
        silence = 0 if self._inner < 0 else SILENCE
        while wanted := self._wanted():
            if not _wait(wanted, None if select.POLLOUT in wanted.values() else silence):
                break
            self._move()

    def _leave(self, status: int) -> int:
        """Leave the rest of the output to a process of its own, if there may be more."""
        self._streams.pop("stdin", None)
        for stream in self._streams.values():
            while stream.pending:
                _wait(dict(stream.wants()), None)
                stream.step()
        if self._flows() and not os.fork():
            try:
                self._carry_on()
            finally:
                os._exit(0)
        return status

    def _flows(self) -> bool:
        """Whether there may be more output, and somebody reads it."""
        stdout = self._streams.get("stdout")
        return stdout is not None and stdout.state is State.FLOWING and not self._output.ended

    def _carry_on(self) -> None:
        """What comes after the program's end, by what it has left in the background."""
        for number in PASSED_ON:
            signal.signal(number, signal.SIG_DFL)
        self._launcher.let_go()
        detach_stdio(but=1)
        self._streams.pop("stderr", None)
        while self._flows() and not self._carry(None):
            pass

    def _follow_window(self) -> None:
        """From now on srun can bear SIGWINCH; a moment later once more, if its thread for that was slow."""
        for number in (signal.SIGWINCH, signal.SIGALRM):
            signal.signal(number, self._resized)
        self._resized()
        signal.setitimer(signal.ITIMER_REAL, WINDOW_AGAIN)

    def _resized(self, *_: object) -> None:
        """Tell the size of the caller's terminal to srun's, and srun that it is new."""
        if self._slave is not None and self._inner >= 0:
            self._copy_size(self._slave)
        self._launcher.signal(signal.SIGWINCH)

    def _copy_size(self, slave: int) -> None:
        from proto.host.terminal import set_window_size, window_size

        set_window_size(self._inner, *window_size(slave))


def _wait(wanted: dict[int, int], timeout: float | None) -> dict[int, int]:
    """Poll, for milliseconds or for ever; which descriptors are ready, and for what."""
    poll = select.poll()
    for number, mask in wanted.items():
        poll.register(number, mask)
    return dict(poll.poll(timeout))


def leave_behind(launcher: Launcher, slave: int | None) -> int:
    """Have a process of its own carry, and end as the program does; return its pid.

    It has the terminal as its controlling one, and not srun: the kernel's SIGWINCH comes at any time, and srun cannot
    bear it before the program runs (see ``actors.anchor.window``). The end of the engine, SIGHUP, is passed on as well.
    """
    if pid := os.fork():
        return pid
    status = INTERNAL
    try:
        os.setsid()
        default_signals()
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        name_process("scrun-exec")
        if slave is not None:
            from proto.host.terminal import take

            take(slave)
            detach_stdio()
        close_all_but({0, 1, 2, *launcher.descriptors, *(() if slave is None else (slave,))})
        launcher.pass_signals_on()
        status = Carrier(launcher, slave).run(lambda: None)
    finally:
        os._exit(status)
