"""Takes daemons of the test cluster away for a while, and measures what a container's processes do meanwhile."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from tests.conftest import alive, all_pids, read_proc, state_and_parent, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from tests.slurm.runtime import Box, Runtime

LIBRARY = pathlib.Path("/var/lib/scrun-cluster")
RUN = pathlib.Path("/run/scrun-cluster")
CONF = LIBRARY / "etc/slurm.conf"
TICKS = os.sysconf("SC_CLK_TCK")


class Daemon:
    """One daemon: where its pid is, and how ``tests/cluster/up`` starts it."""

    def __init__(self, pid_file: pathlib.Path, start: list[str]) -> None:
        self._pid_file = pid_file
        self._start = start

    @property
    def pid(self) -> int:
        try:
            return int(self._pid_file.read_text())
        except (OSError, ValueError):
            return 0

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """It hangs: connections are taken and never answered."""
        pid = self.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @contextlib.contextmanager
    def killed(self, signum: int = signal.SIGKILL, *more: str) -> Iterator[None]:
        """It is gone: connections are refused. Then it is started again."""
        pid = self.pid
        os.kill(pid, signum)
        wait_until(lambda: not alive(pid), 30, what=f"end of {pid}")
        try:
            yield
        finally:
            self.start(*more)

    def start(self, *more: str) -> None:
        self._pid_file.unlink(missing_ok=True)
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/root"}
        with (LIBRARY / "log/start.log").open("a") as log:
            subprocess.run(
                [*self._start, *more], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, cwd="/",
                check=True, timeout=60,
            )  # fmt: skip
        wait_until(lambda: alive(self.pid), 30, what=" ".join(self._start))


def _as(user: str) -> list[str]:
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]


CONTROLLER = Daemon(RUN / "slurmctld.pid", [*_as("slurm"), "slurmctld", "-f", str(CONF)])
MUNGE = Daemon(pathlib.Path("/run/munge/munged.pid"), [*_as("munge"), "munged"])


def node(name: str, flags: str = "") -> Daemon:
    """A node's slurmd. It has a mount table and a host name of its own, so only ``up`` can start it."""
    up = pathlib.Path(__file__).parents[1] / "cluster/up"
    return Daemon(RUN / f"slurmd-{name}.pid", ["env", f"SLURMD_FLAGS={flags}", str(up)])


class Start:
    """``scrun start`` that may take long, while something else is done."""

    def __init__(self, runtime: Runtime, box: Box) -> None:
        self._process = runtime.runner.start(runtime.words("start", box.id), stderr=subprocess.PIPE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def result(self, seconds: float) -> tuple[int, str]:
        """Exit code and standard error."""
        _, error = self._process.communicate(timeout=seconds)
        return self._process.returncode, error.decode()


def family(anchor: int) -> set[int]:
    """The anchor and all its descendants."""
    parents = {pid: state_and_parent(pid)[1] for pid in all_pids()}
    found = {anchor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def cpu_seconds(anchor: int) -> float:
    """Processor time of the anchor's family, and of the children that the anchor has reaped."""
    total = 0
    for pid in family(anchor):
        fields = read_proc(pid, "stat").rpartition(b")")[2].split()
        if fields:
            total += sum(map(int, fields[11:15] if pid == anchor else fields[11:13]))
    return total / TICKS


@contextlib.contextmanager
def idle(anchors: list[int], most: float = 0.25) -> Iterator[None]:
    """Nobody spins: while this lasts each family takes less than this part of one processor.

    A process that spins takes all of it, or, of two shared with others, still much more than that.
    """
    before = {anchor: cpu_seconds(anchor) for anchor in anchors}
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    for anchor, used in before.items():
        if alive(anchor):
            spent = cpu_seconds(anchor) - used
            assert spent < 1.0 + most * took, f"anchor {anchor}: {spent:.2f} s of processor time in {took:.1f} s"


def pass_time(seconds: float) -> None:
    """An outage lasts: there is nothing to wait for but the clock."""
    time.sleep(seconds)
