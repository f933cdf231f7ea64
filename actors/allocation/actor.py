"""The allocation actor: asks for the job, watches it, launches the step, explains the end, gives the job back.

It starts nothing itself: every command of Slurm is a child of the anchor under a fixed name, so a replaced
allocation actor that asks for the same name finds the same command, or its status.
"""

import contextlib
import os
from collections.abc import Iterable

from actors.effects import Effect, Later, Never, Report, Tick, ToAnchor
from actors.shell import PeerActor, Received, run
from actors.staging.entry import entry_argv
from proto import events as e
from proto import messages as m
from proto.creation import Creation
from proto.errors import ScrunError
from proto.paths import ContainerPaths
from proto.registry import Message

from . import scheduler_for
from .replies import may_be_outside, needs_inquiry, released
from .scheduler import STDERR, Command, JobInfo, Scheduler, StepNews

LOOK_FIRST = 0.01
LOOK_LAST = 1.0
"""Seconds between two looks at what salloc or srun said: doubled each time, since most speak at once."""
WATCH = 30.0
"""Seconds between two questions whether a job without a step is still there."""
WHY_LIMIT = 2.0
"""Seconds to wait for Slurm's word on why a job ended; the end itself is known and must not wait for it."""
REFUSED = 125
NO_PROGRAM = b"/dev/null/none"
OUTSIDE = (
    "a node of the job has no oci.conf, so Slurm would have run the program outside any container; it was not run. "
    "Ask the site's administrator to install oci.conf there"
)
RELEASE_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)


class AllocationLogic:
    """What to spawn, and what the commands' words and ends mean."""

    def __init__(self, creation: Creation, scheduler: Scheduler) -> None:
        self._creation = creation
        self._scheduler = scheduler
        self._paths = ContainerPaths(creation.root, creation.id)
        self._looks: dict[str, float] = {}
        self._job_status: int | None = None
        self._queued = False
        self._job_id = creation.job_id
        self._watching = 0
        self._step_status: int | None = None
        self._step_asked = False
        self._bundle = ""
        self._explained = False
        self._releasing = 0
        self._released = False

    def start(self) -> Iterable[Effect]:
        """Nothing: the state actor says what is wanted."""
        return ()

    def handle(self, event: object) -> Iterable[Effect]:
        """What the state actor asks for, what the anchor tells, and the clock."""
        match event:
            case Received(envelope):
                return self._asked(envelope.message)
            case m.Spawned(name, pid):
                return self._spawned(name, pid)
            case m.Exited(name, status):
                return self._exited(name, status)
            case Tick("job-log"):
                return self._look_at_job()
            case Tick("step-log"):
                return self._look_at_step()
            case Tick("watch"):
                return self._watch()
            case Tick("why"):
                return self._explain(None)
            case Tick("release"):
                return self._release()
        return ()

    def _asked(self, message: Message) -> Iterable[Effect]:
        match message:
            case m.RequestJob():
                return self._request()
            case m.WatchJob(job_id):
                self._job_id = job_id
                return self._begin_watch()
            case m.LaunchStep(job_id, bundle, argv):
                self._job_id = job_id
                return self._launch(bundle, argv)
            case m.ReleaseJob(job_id):
                self._job_id = self._job_id or job_id
                return self._release() if not self._releasing else ()
        return ()

    # --- the job ----------------------------------------------------------------------------------------------

    def _request(self) -> list[Effect]:
        if self._creation.job_id:
            return [Report(e.JobGranted(self._creation.job_id, foreign=True))]
        try:
            command = self._scheduler.request(self._creation)
        except ScrunError as error:
            return [Report(e.JobEnded("refused", REFUSED, error.sentence, error.code))]
        if command is None:
            return [Report(e.JobGranted(0))]
        return [self._spawn("job", command, self._paths.job_log)]

    def _look_at_job(self) -> list[Effect]:
        news = self._scheduler.read_request(_text(self._paths.job_log), self._job_status)
        if news.job_id:
            self._job_id = news.job_id
        if news.kind == "granted":
            return [Never("job-log"), Report(e.JobGranted(news.job_id, news.nodes))]
        if news.kind == "refused":
            code = "scheduler-unavailable" if news.transient else "scheduler"
            return [Never("job-log"), Report(e.JobEnded("refused", REFUSED, news.reason, code))]
        if news.kind == "queued" and not self._queued:
            self._queued = True
            # From here on only salloc's end is news, and the anchor tells that.
            return [Report(e.JobQueued(news.job_id, news.reason))]
        return [] if self._queued else [self._look_later("job-log")]

    def _begin_watch(self) -> list[Effect]:
        if self._watching:
            return []
        self._watching = 1
        return [Later("watch", WATCH)]

    def _watch(self) -> list[Effect]:
        if self._step_asked or self._releasing:
            return []
        self._watching += 1
        command = self._scheduler.inquire(self._job_id)
        return [self._spawn_short(f"watch-{self._watching}", command)] if command else []

    def _watched(self, name: str, status: int) -> list[Effect]:
        said = self._said(name)
        info = self._scheduler.read_inquiry(said, self._job_id) if status == 0 else None
        unsure = status != 0 or (info is not None and info.active)
        if self._step_asked or self._releasing or unsure:
            return [Later("watch", WATCH)]
        ending = self._scheduler.explain(info, StepNews(), 0)
        return [Report(e.JobEnded(ending.kind, ending.exit_code, ending.sentence))]

    # --- the step ---------------------------------------------------------------------------------------------

    def _launch(self, bundle: str, argv: tuple[bytes, ...]) -> list[Effect]:
        if self._step_asked:
            return []
        self._step_asked = True
        self._bundle = bundle
        creation = self._creation
        log = self._paths.step_log
        stdio = (
            {"0": "terminal", "1": "terminal", "2": log}
            if creation.terminal
            else {
                "0": "srun-stdin",
                "1": "srun-stdout",
                "2": log,
                str(STDERR): "srun-stderr",
            }
        )
        try:
            command = self._scheduler.step(creation, self._job_id, bundle, argv, creation.terminal)
        except ScrunError as error:
            return [Report(e.StepEnded("launch-failed", REFUSED, 0, error.sentence))]
        names = tuple(name for name in stdio.values() if not name.startswith("/"))
        # The bundle's path is absolute; "/" cannot vanish under a process that lives as long as the container.
        return [
            ToAnchor(m.Spawn("step", command.argv, command.env, "/", stdio, names, creation.terminal)),
            self._look_later("step-log"),
        ]

    def _look_at_step(self) -> list[Effect]:
        news = self._scheduler.read_step(_text(self._paths.step_log))
        if news.started:
            return [Report(e.StepStarted(news.step_id))]
        return [self._look_later("step-log")] if self._step_status is None else []

    def _step_exited(self, status: int) -> list[Effect]:
        self._step_status = status
        news = self._scheduler.read_step(_text(self._paths.step_log))
        effects: list[Effect] = [Never("step-log")]
        if news.started:
            effects.append(Report(e.StepStarted(news.step_id)))
        if may_be_outside(news) and self._bundle and self._creation.settings.entry:
            return [*effects, self._probe()]
        command = self._scheduler.inquire(self._job_id) if needs_inquiry(news) else None
        if command is None:
            return effects + self._explain(None)
        return [*effects, self._spawn_short("why", command), Later("why", WHY_LIMIT)]

    def _probe(self) -> ToAnchor:
        """Find out whether exit status 2 was the program's, or slurmd's on a node without oci.conf.

        On such a node the entry file is not there, and execve's ENOENT becomes the exit status. In a container the
        entry file itself exits with 127 when it is given a program that does not exist.
        """
        argv = entry_argv(self._creation.cookie, NO_PROGRAM, (NO_PROGRAM,))
        command = self._scheduler.step(self._creation, self._job_id, self._bundle, argv, terminal=False)
        log = self._output("probe")
        return ToAnchor(m.Spawn("probe", command.argv, command.env, "/", {"2": log, str(STDERR): log}))

    def _probed(self) -> list[Effect]:
        outside = may_be_outside(self._scheduler.read_step(self._said("probe")))
        if not outside or self._explained:
            return self._explain(None)
        self._explained = True
        return [Report(e.StepEnded("launch-failed", REFUSED, 0, OUTSIDE))]

    def _explain(self, info: JobInfo | None) -> list[Effect]:
        if self._explained or self._step_status is None:
            return []
        self._explained = True
        news = self._scheduler.read_step(_text(self._paths.step_log))
        ending = self._scheduler.explain(info, news, self._step_status)
        ended = e.StepEnded(ending.kind, ending.exit_code, ending.signal, ending.sentence)
        return [Never("why"), Report(ended)]

    def _why(self, name: str, status: int) -> list[Effect]:
        said = self._said(name)
        return self._explain(self._scheduler.read_inquiry(said, self._job_id) if status == 0 else None)

    # --- the end ----------------------------------------------------------------------------------------------

    def _release(self) -> list[Effect]:
        if self._released or self._creation.job_id:
            return [Report(e.JobReleased())]
        self._releasing += 1
        name = f"release-{self._releasing}"
        command = self._scheduler.cancel(self._job_id)
        if command is None:
            command = self._scheduler.find(self._creation.cookie)
            # SIGTERM makes a waiting salloc take its request back; the cookie finds what was granted meanwhile.
            stop = ToAnchor(m.SignalCommand("job", 15))
            name = f"find-{self._releasing}"
            return [stop, self._spawn_short(name, command)] if command else [Report(e.JobReleased())]
        return [self._spawn_short(name, command)]

    def _release_exited(self, name: str, status: int) -> list[Effect]:
        if released(status, self._said(name)):
            self._released = True
            return [Report(e.JobReleased())]
        return [self._release_later()]

    def _found(self, name: str, status: int) -> list[Effect]:
        if status:
            return [self._release_later()]
        jobs = self._scheduler.read_found(self._said(name), self._creation.cookie)
        if not jobs:
            if self._job_status is None and self._creation.scheduler != "local":
                return [self._release_later()]  # salloc is still there, so its request may be on its way
            self._released = True
            return [Report(e.JobReleased())]
        self._job_id = jobs[0]
        return self._release()

    def _release_later(self) -> Later:
        return Later("release", RELEASE_PAUSES[min(self._releasing - 1, len(RELEASE_PAUSES) - 1)])

    # --- commands ---------------------------------------------------------------------------------------------

    def _spawned(self, name: str, pid: int) -> list[Effect]:
        # salloc was started by the anchor before there were actors, and has long been granted what it asked for.
        return self._look_at_job() if name == "job" and pid else []

    def _exited(self, name: str, status: int) -> list[Effect]:
        kind = name.split("-", 1)[0]
        if kind == "job":
            self._job_status = status
            return self._look_at_job()
        if kind == "step":
            return self._step_exited(status)
        if kind == "watch":
            return self._watched(name, status)
        if kind == "probe":
            return self._probed()
        if kind == "why":
            return self._why(name, status)
        if kind == "release":
            return self._release_exited(name, status)
        return self._found(name, status) if kind == "find" else []

    def _spawn(self, name: str, command: Command, output: str) -> ToAnchor:
        stdio = {"1": output, "2": output}
        return ToAnchor(m.Spawn(name, command.argv, command.env, self._creation.cwd, stdio))

    def _spawn_short(self, name: str, command: Command) -> ToAnchor:
        return self._spawn(name, command, self._output(name))

    def _output(self, name: str) -> str:
        return f"{self._paths.directory}/{name}.log"

    def _said(self, name: str) -> str:
        path = self._output(name)
        text = _text(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        return text

    def _look_later(self, what: str) -> Later:
        pause = self._looks.get(what, LOOK_FIRST)
        self._looks[what] = min(pause * 1.5, LOOK_LAST)
        return Later(what, pause)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def main(begin: m.Begin, channel: int) -> int:
    """Body of the process."""
    logic = AllocationLogic(begin.creation, scheduler_for(begin.creation))
    return run(PeerActor, begin, channel, logic)
