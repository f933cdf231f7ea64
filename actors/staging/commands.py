"""Runs commands for the stager: here, and on the nodes of the job.

A command gets nothing of this process but its process group, so that whoever ends the group ends it, too: no
standard input, no descriptor, no environment other than the job's.
"""

import errno
import os
import select
from collections.abc import Callable, Iterable, Sequence
from typing import IO, TYPE_CHECKING

from proto.exit_codes import SIGNALLED
from proto.value import Value

from .loglevel import Level, Log

if TYPE_CHECKING:
    import subprocess

OUTPUT_LIMIT = 16 * 1024 * 1024
CUT = b"\n[scrun: the output is longer than %d bytes; the rest is left out]\n"
PIPE_LIMIT = 1024 * 1024  # a pipe holds no more
NOT_STARTED = 127

RemoteArgv = Callable[[bytes], tuple[Sequence[bytes | str], Iterable[bytes]]]


class Result(Value):
    """How a command ended.

    Attributes:
        status: its exit code, or 128 + N if signal N ended it: never 0 for a death.
        output: its standard output and standard error, as they came; any byte may be in it.

    """

    status: int
    output: bytes

    @property
    def text(self) -> str:
        """The output for a log or a sentence."""
        return self.output.decode(errors="backslashreplace").strip()


class Commands:
    """Runs commands, each to its end.

    Args:
        environ: environment of commands on this host, ``K=V``.
        remote_argv: gives command line and environment that run a shell command on every node of the job.
        log: where each command and its status is noted.
        limit: bytes of output that are kept.

    """

    def __init__(
        self,
        environ: Iterable[bytes],
        remote_argv: RemoteArgv,
        log: Log,
        limit: int = OUTPUT_LIMIT,
    ) -> None:
        self._environ = _to_dict(environ)
        self._remote_argv = remote_argv
        self._log = log
        self._limit = limit

    def allocator(self, command: bytes) -> Result:
        """Run ``/bin/sh -c COMMAND`` on this host (``slurm.allocator_command``)."""
        return self.run((b"/bin/sh", b"-c", command))

    def remote(self, command: bytes) -> Result:
        """Run a shell command on every node of the job (``slurm.remote_command``)."""
        argv, environ = self._remote_argv(command)
        return self.run(argv, _to_dict(environ))

    def run(self, argv: Sequence[bytes | str], environ: dict[bytes, bytes] | None = None) -> Result:
        """Run a command line, without a shell."""
        shown = b" ".join(os.fsencode(word) for word in argv).decode(errors="backslashreplace")
        self._log(Level.DEBUG, f"command: {shown}")
        try:
            import subprocess  # with what it imports 2.5 ms, and most containers stage without a command

            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=self._environ if environ is None else environ,
            )
        except OSError as error:
            return Result(NOT_STARTED, f"{shown}: {_reason(error)}\n".encode())
        assert process.stdout is not None  # noqa: S101 - for the type checker
        with process.stdout as pipe:
            try:
                output = self._read(process, pipe)
            except BaseException:
                process.kill()
                raise
            finally:
                code = process.wait()
        status = code if code >= 0 else SIGNALLED - code
        self._log(Level.DEBUG, f"command ended with status {status}, {len(output)} bytes of output")
        return Result(status, output)

    def _read(self, process: "subprocess.Popen[bytes]", pipe: IO[bytes]) -> bytes:
        """Read until the command has ended and the pipe is empty.

        Not until the pipe is closed: something that the command left in the background may keep it open for ever.
        """
        fd = pipe.fileno()
        os.set_blocking(fd, False)
        kept = bytearray()
        cut = False
        late = 0
        death = os.pidfd_open(process.pid)
        try:
            poll = select.poll()
            poll.register(fd, select.POLLIN)
            poll.register(death, select.POLLIN)
            while True:
                ready = {who for who, _ in poll.poll()}
                data = _read_some(fd)
                if data:
                    room = self._limit - len(kept)
                    kept += data[:room]
                    cut = cut or len(data) > room
                    late += len(data) if death in ready else 0
                    if late > PIPE_LIMIT:  # written after the end, by something in the background
                        break
                elif data == b"":  # all writers are gone
                    poll.unregister(fd)
                    if death not in ready:
                        poll.poll()
                    break
                elif death in ready:
                    break
        finally:
            os.close(death)
        return bytes(kept) + CUT % self._limit if cut else bytes(kept)


def _read_some(fd: int) -> bytes | None:
    """What is there: nothing yet (``None``), the end (``b""``), or bytes."""
    try:
        return os.read(fd, 65536)
    except BlockingIOError:
        return None


def _reason(error: OSError) -> str:
    return "not found" if error.errno == errno.ENOENT else error.strerror or str(error)


def _to_dict(environ: Iterable[bytes]) -> dict[bytes, bytes]:
    pairs = (entry.partition(b"=") for entry in environ)
    return {name: value for name, equals, value in pairs if name and equals}
