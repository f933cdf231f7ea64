"""Scheduler ``local``: the OCI runtime on this machine, without Slurm. For laptops and for fast tests.

The runtime takes the program from ``process.args`` of the bundle's config.json, not from its command line, so
whoever stages the bundle must write the step's ``argv`` there; ``step`` gets it all the same and does not use it.

The launcher is ``RUNTIME run``, whose exit status is the program's (128 + N after a signal). It says nothing when
the program starts, so a shell in front of it announces in the step's log (its own stderr) that it becomes the
runtime: a step counts as started from there on, and a runtime that then fails shows as exit status 1 with its text
on the container's stderr, as the runtime itself does it.

The container of job 1 has the id of scrun's container; its state is kept below scrun's own root directory.
"""

import os
import signal
from collections.abc import Mapping

from actors.process.command import Command
from proto.errors import SchedulerError
from proto.life.brief import Brief
from proto.life.creation import Creation
from proto.life.ending import Ending

from . import ending, enter, oci_conf
from .commands import look_up, search_path
from .enter import Entering
from .scheduler import JobInfo, JobNews
from .step_news import STDERR, StepNews

RUNTIMES = ("crun", "runc", "youki")
MARK = "scrun: local step started"
JOB_ID = 1
STEP_ID = "1.0"
SCRIPT = b'echo "' + MARK.encode() + b'" >&2; exec "$@" 2>&%d' % STDERR
TERMINAL_SCRIPT = b'echo "' + MARK.encode() + b'" >&2; exec "$@" 2>&1'


class Local:
    """Builds the runtime's commands for one container."""

    def __init__(self, creation: Creation) -> None:
        """Nothing is looked up yet."""
        self._creation = creation
        self._path = search_path(creation.environ)

    def request(self, creation: Creation) -> None:
        """There is no job to ask for."""
        del creation

    def read_request(self, text: str, status: int | None) -> JobNews:
        """Granted from the beginning."""
        del text, status
        return JobNews("granted", JOB_ID, "localhost")

    def step(
        self,
        creation: Creation,
        job_id: int,
        bundle: str,
        argv: tuple[bytes, ...],
        *,
        terminal: bool,
        prolog: str = "",  # noqa: ARG002 - what such a container has for a root needs none
        gpus: str = "",  # noqa: ARG002 - they are this host's
    ) -> Command:
        """``RUNTIME run --bundle BUNDLE ID``; ``process.args`` of the bundle must already be ``argv``.

        Raises:
            SchedulerError: there is no OCI runtime.

        """
        del job_id, argv
        runtime = (*self._runtime(), b"run", b"--bundle", os.fsencode(bundle), creation.id.encode())
        script = TERMINAL_SCRIPT if terminal else SCRIPT
        return Command((b"/bin/sh", b"-c", script, b"sh", *runtime), creation.environ)

    def read_step(self, text: str) -> StepNews:
        """See the module's text."""
        return read_step(text)

    def signal(self, step_id: str, signum: int) -> Command:
        """``RUNTIME kill ID N``."""
        del step_id
        return self._command(b"kill", self._creation.id.encode(), b"%d" % signum)

    def cancel(self, job_id: int) -> Command | None:
        """``RUNTIME delete --force ID``, which kills what runs; fails where nothing is left, so never asked twice."""
        del job_id
        return self._command(b"delete", b"--force", self._creation.id.encode())

    def change(self, job_id: int, changes: Mapping[str, str]) -> None:
        """There is no job."""
        del job_id, changes

    def inquire(self, job_id: int) -> None:
        """There is no controller to ask."""
        del job_id

    def existing(self, job_id: int) -> None:
        """There is nobody to ask."""
        del job_id

    def describe(self, job_id: int) -> None:
        """See ``inquire``."""
        del job_id

    def outlook(self, job_id: int) -> None:
        """See ``inquire``."""
        del job_id

    def canceller(self, job_id: int) -> None:
        """See ``inquire``."""
        del job_id

    def find(self, cookie: str) -> None:
        """There is nothing that could be lost."""
        del cookie

    def measure(self, step_id: str) -> None:
        """See ``inquire``."""
        del step_id

    def loss(self, job_id: int, step: StepNews) -> None:
        """See ``inquire``."""
        del job_id, step

    def kill_program(self, step_id: str) -> Command:
        """As any other signal."""
        return self.signal(step_id, signal.SIGKILL)

    def remote_command(self, job_id: int, command: bytes) -> Command:
        """The node is this machine."""
        del job_id
        return Command((b"/bin/sh", b"-c", command), self._creation.environ)

    def explain(self, info: JobInfo | None, step: StepNews, status: int) -> Ending:
        """See ``ending``: the runtime's exit status is the program's."""
        return ending.explain(info, step, status)

    def _command(self, *words: bytes) -> Command:
        return Command((*self._runtime(), *words), self._creation.environ)

    def _runtime(self) -> tuple[bytes, ...]:
        creation = self._creation
        return _runtime(creation.root, creation.settings.scrun.runtime, creation.settings.scrun.slurm_conf, self._path)


def entering(brief: Brief, process: bytes, *, terminal: bool) -> Entering:
    """``RUNTIME exec``; see ``actors.slurm.entering_for``.

    Raises:
        SchedulerError: there is no OCI runtime.

    """
    entries = enter.variables(process)
    runtime = _runtime(brief.root, brief.runtime, brief.slurm_conf, search_path(brief.environ))
    words = (b"/bin/sh", b"-c", enter.here(entries), b"scrun-exec", brief.id.encode(), *runtime)
    script = TERMINAL_SCRIPT if terminal else SCRIPT
    return Entering(Command((b"/bin/sh", b"-c", script, b"sh", *words), (*brief.environ, *entries)), read_step)


def read_step(text: str) -> StepNews:
    """See the module's text."""
    started = MARK in text
    others = tuple(line for line in text.splitlines() if line and MARK not in line)
    failure = others[-1] if others and not started else ""
    return StepNews(started, step_id=STEP_ID if started else "", messages=others, failure=failure)


def _runtime(root: str, setting: str, slurm_conf: str, path: bytes) -> tuple[bytes, ...]:
    """The setting, else the program of oci.conf's RunTimeRun, else what PATH has."""
    candidates = [setting] if setting else [*_of_oci_conf(slurm_conf), *RUNTIMES]
    for candidate in candidates:
        found = os.fsencode(candidate) if candidate.startswith("/") else look_up(candidate, path)
        if found and os.access(found, os.X_OK):
            return (found, b"--root", os.fsencode(f"{root}/.local-runtime"))
    raise SchedulerError(
        f"no OCI runtime was found ({', '.join(candidates)}); install crun or runc, or set runtime in scrun.toml",
    )


def _of_oci_conf(slurm_conf: str) -> list[str]:
    """The program of RunTimeRun; its patterns are slurmd's and mean nothing here."""
    program = oci_conf.load(slurm_conf).runtime if slurm_conf else ""
    return [program] if program else []
