"""A container of the bench, and the program that it is made with."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .measure import FailedError, TooLongError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .bench import Bench
    from .measure import Run


@dataclass(frozen=True, slots=True)
class Runtime:
    """A program that engines take for an OCI runtime, and the variables that it needs."""

    program: str
    environ: Mapping[str, str] = field(default_factory=dict, hash=False)


OURS = Runtime("scrun")


class Container:
    """A container of the bench, with pipes for stdout and stderr as conmon makes them.

    Attributes:
        runtime: what it is made with.
        anchor: pid of the process that is the container for an engine; 0 before ``create``.
        output: the reading end of its stdout.

    """

    def __init__(self, bench: Bench, name: str, bundle: str, *, debug: bool, runtime: Runtime) -> None:
        self.bench = bench
        self.name = name
        self.bundle = bundle
        self.runtime = runtime
        self.anchor = 0
        self.output = -1
        self.error = -1
        self._options = ("--debug",) if debug else ()

    @property
    def log(self) -> str:
        """The container's own log."""
        with open(f"{self.bench.root}/{self.name}/log", encoding="utf-8") as file:
            return file.read()

    def create(self, stdin: int = -1) -> Run:
        """``scrun create``; with the reading end of a pipe for its stdin if there is one."""
        self.output, output = os.pipe2(os.O_CLOEXEC)
        self.error, error = os.pipe2(os.O_CLOEXEC)
        pid_file = self.bench.directory / f"{self.name}.pid"
        argv = (
            self.runtime.program, "--root", self.bench.root, *self._options,
            "create", "--bundle", self.bundle, "--pid-file", str(pid_file), self.name,
        )  # fmt: skip
        try:
            run = self.bench.run(*argv, stdin=stdin, stdout=output, stderr=error, environ=self.runtime.environ)
        finally:
            os.close(output)
            os.close(error)
        if run.status:
            said = os.read(self.error, 2000)
            self.close()
            raise FailedError(f"create: exit status {run.status}: {said.decode(errors='replace').strip()}")
        self.anchor = int(pid_file.read_text())
        self.bench.processes.expect(self.anchor)
        return run

    def start(self) -> Run:
        """``scrun start``."""
        return self.bench.scrun("start", self.name, runtime=self.runtime)

    def wait(self, limit: float = 30.0) -> int:
        """Wait for the anchor, as the engine does; return its exit status."""
        return self.bench.processes.wait(self.anchor, min(limit, max(1.0, self.bench.left)))

    def delete(self, *options: str) -> Run:
        """``scrun delete``."""
        run = self.bench.scrun("delete", *options, self.name, runtime=self.runtime)
        self.close()
        return run

    def remove(self) -> None:
        """Whatever state it is in: away with it."""
        with contextlib.suppress(FailedError, TooLongError):
            self.bench.scrun("delete", "--force", self.name, runtime=self.runtime)
        if self.anchor:
            with contextlib.suppress(ChildProcessError, ProcessLookupError, TooLongError):
                self.wait(5)
        self.close()

    def close(self) -> None:
        """Close the pipes."""
        for fd in (self.output, self.error):
            if fd >= 0:
                os.close(fd)
        self.output = self.error = -1
