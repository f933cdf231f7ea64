"""What the figures share: bundles, containers and jobs of the bench, and the end of all of them."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .container import OURS, Container, Runtime
from .measure import NOTHING, FailedError, Processes, Run, TooLongError, children, good, read_proc

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

APPLETS = ("cat", "dd", "sh", "sleep", "true", "wc")
GRANTED = re.compile(r"allocation (\d+)")
BARE = (sys.executable, "-IS", "-c", "pass")
SRUN = "srun"
STEP = ("--overlap", "--unbuffered", "--export=NONE")
"""What scrun gives srun, too."""


@dataclass
class Bench:
    """One run of the bench, as the unprivileged user.

    Attributes:
        quick: few repetitions.
        deadline: monotonic time at which all of it has to end.

    """

    quick: bool
    deadline: float
    processes: Processes = field(default_factory=Processes)
    _bundles: dict[str, str] = field(default_factory=dict)
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        home = pathlib.Path.home()
        runtime = os.environ.get("XDG_RUNTIME_DIR") or str(home)
        # The nodes have to see the bundles, and sockets want a short path.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=".scrun-bench-", dir=home))
        self.root = tempfile.mkdtemp(prefix="sb", dir=runtime)
        self.job_name = f"scrun-bench-{os.getpid()}"
        os.environ["SCRUN_JOB_NAME"] = self.job_name
        self._rootfs = self._make_rootfs()

    def times(self, usual: int, quick: int) -> int:
        """How often to do something."""
        return quick if self.quick else usual

    @property
    def left(self) -> float:
        """Seconds."""
        return self.deadline - time.monotonic()

    def check(self) -> None:
        """Raise TooLongError if the time is over."""
        if self.left <= 0:
            raise TooLongError("the time for the bench is over")

    # --- running ----------------------------------------------------------------

    def run(
        self,
        *argv: str,
        stdin: int = -1,
        stdout: int = -1,
        stderr: int = -1,
        environ: Mapping[str, str] = NOTHING,
        limit: float = 30.0,
    ) -> Run:
        """Run a command, whatever its exit status is."""
        self.check()
        limit = max(1.0, min(limit, self.left))
        return self.processes.run(argv, stdin=stdin, stdout=stdout, stderr=stderr, environ=environ, limit=limit)

    def good(self, *argv: str, environ: Mapping[str, str] = NOTHING, limit: float = 30.0) -> Run:
        """Run a command that has to end with 0.

        Raises:
            FailedError: it did not.

        """
        return good(argv, self.run(*argv, environ=environ, limit=limit))

    def bare(self) -> float:
        """Milliseconds of an interpreter that does nothing: the floor of everything in Python."""
        return self.good(*BARE).milliseconds

    def scrun(self, *words: str, runtime: Runtime = OURS) -> Run:
        """Run scrun; it has to end with 0."""
        return self.good(runtime.program, "--root", self.root, *words, environ=runtime.environ)

    # --- bundles and containers -------------------------------------------------

    def bundle(self, program: str, *command: str) -> str:
        """A directory with ``config.json`` for this applet and a ``rootfs`` of busybox alone.

        Each program that runs containers has its own: Slurm's scrun, and srun by hand, run them where they are, and the
        node's runtime makes directories and files there. That makes another image of it, which scrun would import anew
        for each life (60 ms); with an engine's image this happens to nobody.
        """
        key = "\0".join((program, *command))
        with self._lock:
            if key not in self._bundles:
                self._bundles[key] = self._make_bundle(command)
            return self._bundles[key]

    def _make_bundle(self, command: Sequence[str]) -> str:
        directory = pathlib.Path(tempfile.mkdtemp(prefix="bundle", dir=self.directory))
        directory.chmod(0o755)
        shutil.copytree(self._rootfs, directory / "rootfs", symlinks=True)
        self.good("scrun", "spec", "--bundle", str(directory))
        config = json.loads((directory / "config.json").read_text())
        config["process"] |= {"args": [f"/bin/{command[0]}", *command[1:]], "terminal": False}
        (directory / "config.json").write_text(json.dumps(config))
        return str(directory)

    def _make_rootfs(self) -> pathlib.Path:
        rootfs = self.directory / "rootfs"
        for name in ("bin", "dev", "etc", "proc", "sys", "tmp"):
            (rootfs / name).mkdir(parents=True)
        busybox = shutil.which("busybox")
        if busybox is None:
            raise FailedError("there is no busybox")
        shutil.copy(busybox, rootfs / "bin/busybox")
        for applet in APPLETS:
            (rootfs / "bin" / applet).symlink_to("busybox")
        return rootfs

    def container(self, *command: str, debug: bool = False, runtime: Runtime = OURS) -> Container:
        """A container that does not exist yet."""
        with self._lock:
            self._count += 1
            number = self._count
        return Container(self, f"b{number}", self.bundle(runtime.program, *command), debug=debug, runtime=runtime)

    def queue(self) -> str:
        """Jobs, of anybody, that wait: as long as there are some, ours may have to wait, too."""
        return self.run("squeue", "-h", "-t", "PD", "-o", "%i %j").output.decode().strip().replace("\n", ", ")

    # --- by hand ----------------------------------------------------------------

    def salloc(self) -> tuple[str, Run]:
        """Make an allocation as one would by hand; return the job's id.

        Raises:
            FailedError: it was not granted.

        """
        run = self.good("salloc", "--no-shell", "--job-name", self.job_name)
        found = GRANTED.search(run.said)
        if found is None:
            raise FailedError(f"salloc: {run.said}")
        return found[1], run

    def step(self, job: str, *command: str) -> tuple[str, ...]:
        """The command line of ``srun --container`` by hand, in that job."""
        return (SRUN, f"--jobid={job}", *STEP, f"--container={self.bundle(SRUN, *command)}", *command)

    # --- the end ----------------------------------------------------------------

    def clean_up(self) -> list[str]:
        """End and remove everything; return what should not have been there any more."""
        self.deadline = time.monotonic() + 20
        left = []
        for name in os.listdir(self.root):
            if os.path.exists(f"{self.root}/{name}/lock"):
                left.append(f"container {name}")
                with contextlib.suppress(TooLongError):
                    self.run("scrun", "--root", self.root, "delete", "--force", name)
        with contextlib.suppress(TooLongError):
            jobs = self.run("squeue", "-h", "-o", "%A", "-n", self.job_name, "-t", "PD,R,S").output.split()
            if jobs:
                left.append(f"{len(jobs)} jobs")
                self.run("scancel", f"--name={self.job_name}", f"--user={os.getuid()}")
        # A guard may be on its way.
        end = time.monotonic() + 2
        while children() and time.monotonic() < end:
            self.processes.reap_strays()
            time.sleep(0.02)
        strays = [read_proc(pid, "cmdline").replace("\0", " ").strip() for pid in children()]
        if self.processes.kill_left():
            left += [f"process {words}" for words in strays if "catatonit" not in words]
        shutil.rmtree(self.directory, ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)
        return left
