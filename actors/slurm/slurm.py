"""Slurm's own commands, from 22.05 on: salloc, srun, scancel, squeue.

Why these (all measured on 22.05): salloc is granted in 6 ms where sbatch needs a second, names the job while it is
queued, takes the request back when it gets SIGTERM, says when the job is revoked, and gives the job an exit status
when its command ends; with ``--no-shell`` it would do none of the last two, and every job would end as CANCELLED. It
holds 1.3 MB while it waits. ``srun -v`` reports the start of the tasks
and each task's exact wait status on its own stderr. KILL goes to the step: to the job it takes seconds.
"""

import os
import signal
from collections.abc import Mapping
from functools import partial

from actors.process.command import Command
from proto.errors import SchedulerError
from proto.host.paths import ContainerPaths
from proto.life.creation import Creation
from proto.life.ending import Ending

from . import (
    accounting,
    ending,
    existing,
    job_log,
    lost_nodes,
    origin,
    queue_format,
    runtime_signal,
    step_log,
    step_options,
    usage,
)  # fmt: skip
from .client import Client, encode
from .job_environment import scrun_environment
from .option_table import BY_NAME, ENVIRONMENT, STEP, Version
from .options import fit, word
from .scheduler import JobInfo, JobNews, Outlook, Query
from .step_news import STDERR, StepNews

_WAIT = b'read -r status || status=137; exit "$status"'
HOLD = b'umask 077; { env -0; printf "\\0"; } >"$1"; ' + _WAIT
"""What salloc runs here while the job lasts: its exit status becomes the job's.

It writes down what salloc says of the job, for stager and program, and waits for a line on descriptor 0, whose other
end the anchor and its guard have. When both die, the read fails and the job ends of itself.
"""
ONCE = b"""steps=$1 status=0 IFS=,; shift
for step in $steps; do
    { echo y; while echo n; do :; done; } 2>/dev/null | "$@" "$step" >/dev/null || status=$?
done; exit "$status\""""
"""What asks scancel to ask before it signals, and answers yes once for each step.

When any job of the cluster is pending, anybody's, scancel goes through its jobs twice, and signals a step each time
(22.05 and others: a flag about pending jobs is set for jobs that were not named). A program would get each signal
twice.
"""
CONTAINER_ID: Version = (23, 2)
"""First version with ``srun --container-id``."""


class Slurm:
    """Builds Slurm's commands for one container and reads their answers."""

    def __init__(self, creation: Creation) -> None:
        """Nothing is looked up yet."""
        self._creation = creation
        self._client = Client(
            creation.environ,
            creation.slurm,
            slurm_conf=creation.settings.scrun.slurm_conf,
            clusters=creation.settings.job.get("clusters", ""),
            namespaced=creation.caller.namespaced,
            uid=creation.caller.uid,
            gid=creation.caller.gid,
        )

    # --- the job

    def request(self, creation: Creation) -> Command | None:
        """See ``Scheduler``.

        Raises:
            SchedulerError: salloc is not installed.
            SettingsError: a job option does not exist in this version.

        """
        if creation.job_id:
            return None
        salloc = self._client.require("salloc")
        options = {**self._options(creation), "comment": accounting.comment(creation)}
        words: list[str] = []
        extra: list[bytes] = []
        for name, value in options.items():
            option = BY_NAME[name]
            if option.kind == ENVIRONMENT:
                extra.append(os.fsencode(f"SALLOC_{option.variable}={value}"))
            elif option.where != STEP:
                words.append(word(option, value))
        command = (b"/bin/sh", b"-c", HOLD, origin.HOLDER, os.fsencode(_paths(creation).job_env))
        argv = (*self._client.prefix(), salloc, *encode(words), *command)
        return self._client.command(argv, extra)

    def read_request(self, text: str, status: int | None) -> JobNews:
        """See ``Scheduler`` and ``job_log``."""
        return job_log.read(text, status)

    def cancel(self, job_id: int) -> Command | None:
        """``scancel JOB``; nothing for an allocation that scrun did not make."""
        if self._creation.job_id or not job_id:
            return None
        return self._client.simple("scancel", b"%d" % job_id)

    def change(self, job_id: int, changes: Mapping[str, str]) -> Command | None:
        """``scontrol update``; nothing for an allocation that scrun did not make."""
        if self._creation.job_id or not job_id:
            return None
        from .changes import words

        return self._client.simple("scontrol", *encode(words(job_id, changes)))

    # --- the step

    def step(
        self,
        creation: Creation,
        job_id: int,
        bundle: str,
        argv: tuple[bytes, ...],
        *,
        terminal: bool,
        prolog: str = "",
        gpus: str = "",
    ) -> Command:
        """See ``Scheduler``; the container's stderr goes to descriptor ``STDERR`` unless there is a terminal.

        srun opens ``--error`` anew, so its own messages, which stay on descriptor 2, never mix with the
        container's.

        Raises:
            SchedulerError: srun is not installed, or the bundle's path is relative (slurmd would not find it).
            SettingsError: a job option does not exist in this version.

        """
        if not bundle.startswith("/"):
            raise SchedulerError(f"the bundle's path must be absolute: {bundle}")
        options = self._options(creation)
        words = ["--verbose", f"--jobid={job_id}", "--export=NONE", f"--container={bundle}"]
        if self._client.version >= CONTAINER_ID:
            words.append(f"--container-id={creation.id}")
        words.append("--pty" if terminal else f"--error=/proc/self/fd/{STDERR}")
        if prolog:
            options = {**options, "task-prolog": prolog}  # which calls the user's own
        words += step_options.words(options, creation.job_id != 0, self._client.version)
        if gpus:
            words.append(f"--gpus={gpus}")
        # For its prolog and epilog on this host, and for plugins; with --export=NONE nothing of it goes to the nodes.
        told = scrun_environment(creation, _paths(creation), os.getppid(), bundle)
        return self._client.command((*self._client.srun(), *encode(words), b"--", *argv), told)

    def read_step(self, text: str) -> StepNews:
        """See ``Scheduler`` and ``step_log``."""
        return step_log.read(text, len(existing.groups(self._creation.settings.job.get("het-group", ""))))

    def signal(self, step_id: str, signum: int) -> Command:
        """``scancel --signal=N JOB.STEP``, never the whole job; by a plain step what does not get to the program so.

        Raises:
            SchedulerError: the step is not known.

        """
        if "." not in step_id:
            raise SchedulerError("container not running: its step is not known yet")
        if runtime_signal.needed(signum, self._client.oci_conf()):
            return self._by_runtime(step_id, signum)
        word = b"--signal=%d" % signum
        if signum == signal.SIGKILL:  # no program can tell two from one
            return self._client.simple("scancel", word, *encode(step_id.split(",")))
        before = (b"/bin/sh", b"-c", ONCE, b"scrun-signal", step_id.encode())
        return self._client.simple("scancel", b"--interactive", word, before=before)

    def kill_program(self, step_id: str) -> Command:
        """By a plain step, so that the runtime, and slurmstepd, live on and see its end (see ``runtime_signal``)."""
        if self._client.oci_conf().stays_beside:
            return self._by_runtime(step_id, signal.SIGKILL)
        return self.signal(step_id, signal.SIGKILL)

    def _by_runtime(self, step_id: str, signum: int) -> Command:
        job_id = self._creation.job_id or int(step_id.partition(".")[0])
        script = runtime_signal.on_node(self._creation.cookie, signum)
        # Of itself srun would ask again after minutes.
        return self.remote_command(job_id, script, "--immediate=1")

    def remote_command(self, job_id: int, command: bytes, *more: str) -> Command:
        """One plain task on each node of the job, in a step of its own beside the container's."""
        words = (
            f"--jobid={job_id}",
            "--overlap",
            "--unbuffered",
            "--quiet",
            "--input=none",
            "--job-name=scrun-remote",
            *step_options.parts(self._creation.settings.job),
            *more,
        )
        return self._client.command((*self._client.srun(), *encode(words), b"--", b"/bin/sh", b"-c", command))

    # --- questions

    def inquire(self, job_id: int) -> Query[JobInfo | None] | None:
        """One line of squeue, also about a job that has ended (for MinJobAge, 5 minutes by default)."""
        return Query(self._inquiry(job_id), partial(queue_format.read_job, job_id=job_id))

    def existing(self, job_id: int) -> Query[existing.Parts] | None:
        """All jobs of the user, also those that have ended a short while ago."""
        command = self._client.simple("squeue", *encode(existing.words(self._creation.caller.uid)))
        return Query(command, partial(existing.read, job_id=job_id))

    def describe(self, job_id: int) -> Query[dict[str, str] | None] | None:
        """Another line of squeue, with more in it."""
        return Query(self._squeue(job_id, queue_format.DETAILS), partial(queue_format.read_details, job_id=job_id))

    def outlook(self, job_id: int) -> Query[Outlook | None] | None:
        """All jobs that wait, for a place is one among others; for a person who asks, and not for an actor."""
        from . import outlook

        command = self._client.simple("squeue", *encode(outlook.words(None)))
        return Query(command, partial(outlook.read, job_id=job_id))

    def canceller(self, job_id: int) -> Query[int | None] | None:
        """``sacct``, for a person who asks."""
        from . import canceller

        return Query(self._client.simple("sacct", *encode(canceller.words(job_id))), canceller.read)

    def find(self, cookie: str) -> Query[list[int]] | None:
        """All jobs of the user that live; the cookie is looked for in their comments."""
        return Query(self._search(), partial(queue_format.read_found, mark=accounting.COOKIE + cookie))

    def measure(self, step_id: str) -> Query[usage.Usage | None] | None:
        """``sstat``, which does not know ``--clusters``: of another cluster nothing is known, nor of several parts."""
        if self._client.clusters or "," in step_id:
            return None
        command = self._client.command((self._client.require("sstat"), *encode(usage.words(step_id))))
        return Query(command, partial(usage.read, step_id=step_id))

    def loss(self, job_id: int, step: StepNews) -> Query[lost_nodes.Loss | None] | None:
        """Scontrol, squeue and sstat, one after the other; nothing of another cluster, of which two could not tell."""
        if self._client.clusters or "," in step.step_id:
            return None
        programs = (self._client.require(program) for program in ("scontrol", "squeue", "sstat"))
        job = step.step_id.partition(".")[0] or str(job_id)  # of a heterogeneous allocation the step's own part
        asked = (*programs, step.nodes.encode(), job.encode(), step.step_id.encode())
        command = self._client.command((b"/bin/sh", b"-c", lost_nodes.ASK, b"scrun-loss", *asked))
        return Query(command, partial(lost_nodes.read, step_id=step.step_id, nodes=step.nodes))

    def _inquiry(self, job_id: int) -> Command:
        return self._squeue(job_id, queue_format.FORMAT)

    def _squeue(self, job_id: int, fields: bytes) -> Command:
        return self._client.simple("squeue", b"-h", b"-t", b"all", b"-O", fields, b"-j", b"%d" % job_id)

    def _search(self) -> Command:
        return self._client.simple("squeue", b"-h", b"-o", queue_format.FOUND, b"-u", b"%d" % self._creation.caller.uid)

    def explain(self, info: JobInfo | None, step: StepNews, status: int) -> Ending:
        """See ``ending``."""
        return ending.explain(info, step, status)

    # --- parts of commands

    def _options(self, creation: Creation) -> dict[str, str]:
        """Those that this version knows; there is always a name."""
        options = {"job-name": accounting.job_name(creation), **creation.settings.job}
        if not any(BY_NAME[name].dated for name in options):
            return options
        return fit(options, self._client.version)[0]


def _paths(creation: Creation) -> ContainerPaths:
    return ContainerPaths(creation.root, creation.id)
