"""Where Slurm's commands are, and the environment that they run in."""

import os
import select

from proto.errors import SchedulerError
from proto.exit_codes import KILL
from proto.host.paths import DEFAULT_PATH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .option_table import Version

WORDS_LIMIT = 5.0
"""Seconds that a command may take to say its version, or that it can be used, which needs no other machine."""

KEPT = frozenset({b"SLURM_CONF", b"SLURM_CONF_SERVER", b"SLURM_SACK_JWKS", b"SLURM_SACK_KEY", b"SLURM_SACK_SOCKET"})
"""Variables of Slurm that say where the cluster is and who we are. Not SLURM_JWT: slurmd takes no token, and srun of
26.05 and later, which has to talk to it, ends at once where one is set."""
DROPPED = (b"SLURM_", b"SLURMD_", b"SALLOC_", b"SBATCH_", b"SRUN_", b"SQUEUE_", b"SCANCEL_", b"SINFO_", b"SCRUN_")
"""The other ones would set options behind our back (salloc(1), srun(1), INPUT ENVIRONMENT VARIABLES), and those of
a surrounding job would describe that job. ``SLURM_SPANK_`` stays: plugins talk to each other by it."""


def environment(entries: "Iterable[bytes]", extra: "Sequence[bytes]" = ()) -> tuple[bytes, ...]:
    """Return the environment for one of Slurm's commands.

    The locale is C, because messages are read (``messages.TABLE``).
    """
    kept = [entry for entry in entries if _keep(entry.partition(b"=")[0])]
    return (*kept, b"LC_ALL=C", *extra)


def _keep(name: bytes) -> bool:
    if name in KEPT or name.startswith(b"SLURM_SPANK_"):
        return True
    return not name.startswith(DROPPED) and name != b"LC_ALL"


def search_path(entries: "Iterable[bytes]") -> bytes:
    """PATH of an environment."""
    for entry in entries:
        if entry.startswith(b"PATH=") and entry != b"PATH=":
            return entry[5:]
    return DEFAULT_PATH.encode()


def look_up(program: str, path: bytes) -> bytes | None:
    """Return the absolute path of a program, or ``None``. Relative entries of PATH are not looked at."""
    for directory in path.split(b":"):
        if directory.startswith(b"/"):
            candidate = directory.rstrip(b"/") + b"/" + os.fsencode(program)
            if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
                return candidate
    return None


def require(program: str, path: bytes) -> bytes:
    """Return the absolute path of one of Slurm's commands.

    Raises:
        SchedulerError: there is none.

    """
    found = look_up(program, path)
    if found is None:
        raise SchedulerError(
            f"Slurm's command {program} was not found in PATH {os.fsdecode(path)}; is slurm-client installed?",
        )
    return found


def parse_version(text: str) -> "Version":
    """Return (22, 5) out of "slurm-wlm 22.05.8" or "slurm 24.11.5"; (0, 0) when it says something else."""
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0].startswith("slurm"):
            parts = words[1].split(".")
            if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
                return int(parts[0]), int(parts[1])
    return (0, 0)


def probe_version(entries: "Sequence[bytes]") -> "Version":
    """Ask ``salloc --version`` (5 ms), once for each container.

    Returns (0, 0) when there is no salloc or it says nothing of use; ``request`` will then complain.
    """
    program = look_up("salloc", search_path(entries))
    return (0, 0) if program is None else parse_version(first_words((program, b"--version"), entries))


def first_words(argv: tuple[bytes, ...], entries: "Sequence[bytes]") -> str:
    """The first that a command says on standard output, after which it is ended; empty if it says nothing in time.

    What it says on standard error is nobody's: salloc of 26.05 begins threads, and complains where there may be none.

    The one function of this package that starts a process.
    """
    reading, writing = os.pipe()
    environ = dict(entry.split(b"=", 1) for entry in environment(entries) if b"=" in entry)
    try:
        silence = (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0)
        actions = [(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_CLOSE, reading), silence]
        try:
            pid = os.posix_spawn(argv[0], argv, environ, file_actions=actions)
        except OSError:
            return ""
        finally:
            os.close(writing)
        text = _read_in_time(reading)
        os.kill(pid, KILL)  # it has said it, or hangs
        os.waitpid(pid, 0)
    finally:
        os.close(reading)
    return text.decode("ascii", "replace")


def _read_in_time(fd: int) -> bytes:
    """The first that comes; nothing if it takes too long. Slurm's commands write their version at once."""
    return os.read(fd, 4096) if select.select([fd], [], [], WORDS_LIMIT)[0] else b""
