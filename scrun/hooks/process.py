"""Runs one hook: state on standard input, an environment of its own, a time limit, and what it said if it failed.

A hook's output has no place to go: standard output and error of ``create`` are the container's. So its end is kept
for the error message. Hooks start daemons, which keep the output open; the hook is over when its own process is.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time

from actors.oci.hook_config import Hook
from proto.errors import reason

TAIL = 1000
"""Bytes of output that are kept."""
_PIECE = 1 << 16
# At the end: as much as a pipe can hold on any machine, however fast a daemon goes on writing.
_LAST_PIECES = 16
# ``select`` takes no number of seconds that a config may have.
_LONGEST = 3600.0


def execute(hook: Hook, state: bytes, cwd: str) -> str:
    """Run a hook to its end.

    Args:
        hook: what to run.
        state: for its standard input.
        cwd: its working directory; ``/`` if that is gone.

    Returns:
        Nothing, or how it failed: "ended with exit status 1: what it said".

    """
    try:
        process = subprocess.Popen(
            hook.args or (hook.path,),
            executable=hook.path,
            env=None if hook.env is None else dict(entry.split("=", 1) for entry in hook.env if "=" in entry[1:]),
            cwd=cwd if os.path.isdir(cwd) else "/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        return f"could not be run: {reason(error)}"
    try:
        return _Run(process, state).follow(hook.timeout)
    except BaseException:
        _kill(process)
        raise
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


class _Run:
    """Moves a process's input and output until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], state: bytes) -> None:
        assert process.stdin is not None  # noqa: S101 - for the type checker
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._input = process.stdin
        self._output = process.stdout.fileno()
        self._rest = memoryview(state)
        self._tail = b""

    def follow(self, timeout: int | None) -> str:
        deadline = None if timeout is None else time.monotonic() + timeout
        death = os.pidfd_open(self._process.pid)
        try:
            with selectors.DefaultSelector() as selector:
                return self._follow(selector, death, deadline, timeout)
        finally:
            os.close(death)

    def _follow(self, selector: selectors.BaseSelector, death: int, deadline: float | None, timeout: int | None) -> str:
        for descriptor in (self._input.fileno(), self._output):
            os.set_blocking(descriptor, False)
        selector.register(death, selectors.EVENT_READ)
        selector.register(self._output, selectors.EVENT_READ)
        selector.register(self._input, selectors.EVENT_WRITE)
        while True:
            left = _LONGEST if deadline is None else deadline - time.monotonic()
            if left <= 0:
                _kill(self._process)
                return f"did not end within {timeout} s and was killed"
            for key, _ in selector.select(min(left, _LONGEST)):
                if key.fd == death:
                    return self._ended()
                if key.fd == self._output:
                    if not self._read():
                        selector.unregister(self._output)
                elif not self._write():
                    selector.unregister(self._input)
                    self._input.close()

    def _write(self) -> bool:
        """Write some of the state; False if there is nothing more to write, or the hook reads no more."""
        try:
            self._rest = self._rest[os.write(self._input.fileno(), self._rest) :]
        except BlockingIOError:
            return True
        except BrokenPipeError:
            return False
        return bool(self._rest)

    def _read(self) -> bool:
        """Read some output; False if no more of it is there."""
        try:
            piece = os.read(self._output, _PIECE)
        except BlockingIOError:
            return False
        self._tail = (self._tail + piece)[-TAIL:]
        return bool(piece)

    def _ended(self) -> str:
        for _ in range(_LAST_PIECES):
            if not self._read():
                break
        code = self._process.wait()
        if code == 0:
            return ""
        how = f"ended with exit status {code}" if code > 0 else f"was killed by signal {-code}"
        said = _clean(self._tail)
        return f"{how}: {said}" if said else how


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a hook and its descendants; it has not been reaped, so the number is still its own."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _clean(output: bytes) -> str:
    """The last lines of the output, without the words that podman takes for a fault of the user's program."""
    from actors.slurm.messages import clean

    lines = output.decode("utf-8", "replace").strip().splitlines()
    return "; ".join(clean(line) for line in lines[-3:] if line.strip())
