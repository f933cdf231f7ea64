"""The job from its request to its release: what to spawn, and what salloc, squeue and scancel mean."""

import os

from actors.process.command import Command
from actors.process.effects import Effect, Later, Log, Never, Report, ToAnchor, Write
from actors.process.looks import Looks
from actors.process.spool import Spool
from actors.slurm.replies import given_back, released
from actors.slurm.scheduler import JobInfo, JobNews, Scheduler
from actors.slurm.step_news import StepNews
from proto.errors import ScrunError
from proto.exit_codes import KILL, KILLED, REFUSED, TERM
from proto.life import events as e
from proto.life import talk
from proto.life.creation import Creation
from proto.life.ending import Ending
from proto.value import replace

from .attempts import Attempts

WATCH = 30.0
"""Seconds between two questions whether a job without a step is still there, if salloc has not heard of its end."""
REASON_LIMIT = 2.0
"""Seconds to wait for the reason why a job is queued; that it is queued is news without it."""
HOLD_WAIT = 2.0
"""Seconds that salloc gets to give the job back in order; then it is cancelled."""
RELEASE_PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)
HELD = "salloc-hold"
"""The anchor's name for salloc's end of the pipe."""


def spawn_of(creation: Creation, command: Command, name: str = "job", log: str = "job-log") -> talk.Spawn:
    """salloc, with the pipe that holds the job: the anchor starts it before there is an actor."""
    stdio = {"0": HELD, "1": log, "2": log}
    return talk.Spawn(name, command.argv, command.env, creation.cwd, stdio)


class Job:
    """Pure: commands and ticks in, effects out.

    Attributes:
        id: number of the job, 0 until Slurm has told it.
        idle: whether no step of ours is, or was, in it: only then its end is news.

    """

    def __init__(self, creation: Creation, scheduler: Scheduler, log: str) -> None:
        """Args:
        creation: what ``create`` found out.
        scheduler: what the commands are, and what they mean.
        log: path of the file that salloc writes to.
        """
        self.id = creation.job_id
        self.idle = True
        self._creation = creation
        self._scheduler = scheduler
        self._spool = Spool(creation)
        self._attempts = Attempts(self._spool, "job", log)
        self._wanted = False
        self._patient = True
        self._looks = Looks()
        self._status: int | None = None
        self._queued = False
        self._granted = False
        self._exit_status = 0
        self._watches = 0
        self._releases = 0
        self._released = False

    def request(self, *, retry: bool = True) -> list[Effect]:
        """See to it that there is a job."""
        self._wanted, self._patient = True, retry
        if self._attempts.waiting:
            return [] if retry else self.look()
        return self.find()

    @property
    def said(self) -> str:
        """What salloc has said."""
        return self._attempts.said

    def find(self) -> list[Effect]:
        """Find the last request again, or make the first; whether there shall be another one is not known yet."""
        if self._creation.job_id:
            return [Report(e.JobGranted(self._creation.job_id, foreign=True))]
        try:
            command = self._scheduler.request(self._creation)
        except ScrunError as error:
            return [Report(e.JobEnded(Ending("refused", REFUSED, 0, error.sentence, error.code)))]
        if command is None:
            return [Report(e.JobGranted(0))]
        return [ToAnchor(spawn_of(self._creation, command, self._attempts.name, self._attempts.log))]

    def next(self) -> list[Effect]:
        """Ask once more: the controller has not heard the last request."""
        if not self._attempts.waiting or self._releases:
            return []
        self._attempts.next()
        self._looks = Looks()
        self._status = None
        return self.request(retry=self._patient)

    def look(self) -> list[Effect]:
        """Read what salloc has said so far."""
        news = self._scheduler.read_request(self._attempts.said, self._status)
        self.id = news.job_id or self.id
        if news.kind in {"granted", "revoked"}:
            return self._grant(news)
        if news.kind == "refused":
            killed = self._status is not None and os.WIFSIGNALED(self._status)
            return [Never("job-log"), *(self._asked_in_vain() if killed else self._refused(news))]
        later = Later("job-log", self._looks.next())
        if news.kind != "queued" or self._queued:
            return [later]
        self._queued = True
        query = self._scheduler.inquire(self.id)
        if query is None:
            return [later, *self.unexplained()]
        return [later, self._spool.ask("reason", query.command), Later("reason", REASON_LIMIT)]

    def _refused(self, news: JobNews) -> list[Effect]:
        """Ask again if the controller has not heard the request, or report the end."""
        if news.away and not self._wanted:
            return []  # told to a new actor; if there shall be a job at all, it will ask for this command
        wanted = self._patient and not self.id and not self._releases
        if news.away and wanted and not self._attempts.enough:
            pause = self._attempts.wait()
            waiting = f"the request for a job was not heard: {news.reason}; asking again in {pause:g} s"
            return [Log("info", waiting), Later("job", pause)]
        self._attempts.waiting = False
        code = "scheduler-unavailable" if news.transient else "scheduler"
        # What was in the queue has not been refused: a user, an administrator or Slurm took it out.
        if self._queued:
            return [Never("job"), Report(e.JobEnded(Ending("cancelled", KILLED, 0, news.reason, code)))]
        return [Never("job"), Report(e.JobEnded(Ending("refused", REFUSED, 0, news.reason, code)))]

    def _asked_in_vain(self) -> list[Effect]:
        """Have the job given back that Slurm may have granted to a salloc that was killed: a release looks for it."""
        self._attempts.waiting = False
        return [Never("job"), Report(e.CancelRequested("the death of salloc", KILLED, forced=True))]

    def _grant(self, news: JobNews) -> list[Effect]:
        """Report the grant once, and while no step runs listen for the job's end: salloc stays, unless killed."""
        granted: list[Effect] = [ToAnchor(talk.Close((HELD,))), Report(e.JobGranted(news.job_id, news.nodes))]
        effects = [] if self._granted else granted
        self._granted = True
        if news.kind == "revoked" or self._status is not None:
            return [*effects, Never("job-log"), *self.watch()]
        return [*effects, Later("job-log", Looks.LAST) if self.idle else Never("job-log")]

    def reason(self, status: int) -> list[Effect]:
        """Read why the job waits; that it waits is news even if Slurm does not say why."""
        info = self._told("reason") if status == 0 else None
        return [Never("reason"), Report(e.JobQueued(self.id, info.reason if info else ""))]

    def _told(self, name: str) -> JobInfo | None:
        """What Slurm has answered about the job."""
        query = self._scheduler.inquire(self.id)
        return query.read(self._spool.said(name)) if query is not None else None

    def unexplained(self) -> list[Effect]:
        """Report that the job waits, without Slurm's reason."""
        return [Report(e.JobQueued(self.id))]

    @property
    def attempt(self) -> str:
        """Name of the last attempt's command."""
        return self._attempts.name

    def exited(self, status: int) -> list[Effect]:
        """Take note of salloc's end: the job was refused, given back, or revoked by Slurm (scancel, time limit)."""
        self._status = status
        if not self._granted:
            return self.look()
        if not self._releases:
            return self.watch()  # while a step runs, srun's end tells
        if os.WIFSIGNALED(status) or not given_back(self._attempts.said):
            return self.release()  # it was killed, or the controller is away: it gave nothing back
        self._released = True
        return [Never("release"), Report(e.JobReleased())]

    # --- while no step is in it -------------------------------------------------------------------------------

    def begin_watch(self) -> list[Effect]:
        """Begin to look now and then whether the job is still there."""
        if self._watches:
            return []
        self._watches = 1
        return [Later("watch", WATCH)]

    def watch(self) -> list[Effect]:
        """Ask once."""
        query = self._scheduler.inquire(self.id)
        if not self.idle or self._releases or query is None:
            return []
        # One that has not answered by now never will.
        last = ToAnchor(talk.SignalCommand(f"watch-{self._watches}", KILL))
        self._watches += 1
        return [last, self._spool.ask(f"watch-{self._watches}", query.command), Later("watch", WATCH)]

    def watched(self, name: str, status: int) -> list[Effect]:
        """Read the answer. A controller that does not answer says nothing about the job."""
        info = self._told(name) if status == 0 else None
        if not self.idle or self._releases:
            return []
        if status != 0 or (info is not None and info.active):
            return []
        ending = self._scheduler.explain(info, StepNews(), 0)
        return [Never("watch"), Report(e.JobEnded(replace(ending, code="scheduler")))]

    # --- release ----------------------------------------------------------------------------------------------

    def begin_release(self, job_id: int, exit_status: int) -> list[Effect]:
        """Give the job back; a repetition of the wish changes nothing while it is being carried out."""
        self.id = self.id or job_id
        self._exit_status = exit_status
        return [] if self._releases and not self._released else self.release()

    def release(self) -> list[Effect]:
        """Try once."""
        if self._released or self._creation.job_id:
            return [Report(e.JobReleased())]
        self._releases += 1
        if self._releases == 1 and self._granted and self._status is None:
            # The shell below salloc exits with it, and salloc gives the job back with that exit status.
            return [Write("hold", b"%d\n" % self._exit_status), Later("release", HOLD_WAIT)]
        command = self._scheduler.cancel(self.id)
        if command is not None:
            return [self._spool.act(f"release-{self._releases}", command)]
        query = self._scheduler.find(self._creation.cookie)
        if query is None:
            return [Report(e.JobReleased())]
        # SIGTERM makes a waiting salloc take its request back; the cookie finds what was granted meanwhile.
        return [ToAnchor(talk.SignalCommand("job", TERM)), self._spool.ask(self._unasked("find"), query.command)]

    def release_exited(self, name: str, status: int) -> list[Effect]:
        """See whether scancel was heard."""
        if not released(status, self._spool.said(name)):
            return [self._again()]
        self._released = True
        return [Report(e.JobReleased())]

    def found(self, name: str, status: int) -> list[Effect]:
        """See which job carries our cookie."""
        query = self._scheduler.find(self._creation.cookie)
        jobs = query.read(self._spool.said(name)) if query is not None and status == 0 else []
        if jobs:
            self.id = jobs[0]
            return self.release()
        if status != 0 or self._status is None or self._granted:
            # squeue failed, or salloc is still there and its request may be on its way, or it was granted meanwhile.
            return [self._again()]
        self._released = True
        return [Report(e.JobReleased())]

    def _unasked(self, question: str) -> str:
        """A name under which no predecessor has asked: the answer to it may be out of date."""
        number = self._releases
        while os.path.exists(self._spool.path(f"{question}-{number}")):
            number += 1
        return f"{question}-{number}"

    def _again(self) -> Later:
        return Later("release", RELEASE_PAUSES[min(self._releases - 1, len(RELEASE_PAUSES) - 1)])
