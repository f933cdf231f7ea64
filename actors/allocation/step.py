"""The step from its launch to its explained end: what to spawn, and what srun means."""

import os
from collections.abc import Callable

from actors.oci.entry import entry_argv
from actors.process.command import Command
from actors.process.effects import Effect, Later, Log, Never, Report, ToAnchor
from actors.process.looks import Looks
from actors.process.spool import Spool
from actors.slurm import runtime_words
from actors.slurm.replies import may_be_outside, may_be_the_runtimes, needs_inquiry, over_memory
from actors.slurm.scheduler import JobInfo, Scheduler
from actors.slurm.step_news import STDERR, WINDOW_AGAIN, StepNews
from proto.errors import ScrunError
from proto.exit_codes import KILL, KILLED, REFUSED
from proto.host import sessions
from proto.life import events as e
from proto.life import talk
from proto.life.creation import Creation
from proto.life.ending import Ending, with_session
from proto.value import replace

from .attempts import Attempts
from .nodes import Nodes

WHY_LIMIT = 2.0
"""Seconds to wait for Slurm's word on why a job ended; the end itself is known and must not wait for it."""
WHY_AGAIN = 0.2
"""Seconds until it is asked again, if it could not answer."""
PROBE_LIMIT = 15.0
"""Seconds that the probe may take; srun itself waits 10 s for a controller."""
YOUNG = 5.0
"""Seconds after its start in which the end of a step may be that of the node's runtime and not of the program."""
PROLOG, MADE, COLLECT = "prolog", "made", "collect"
"""Of the node's programs: what is run before the container, if there is one; what is there when there is a root file
system, so that its program has run; what is there if one has to be made (``actors.staging.overlay.node_programs``)."""
REFUSAL, GPUS = "refusal", "gpus/count"
"""Why a container cannot begin: a sentence (``actors/programs/node_gpus.sh``); how many GPUs a step has to ask for."""
NO_PROGRAM = b"/dev/null/none"
OUTSIDE = (
    "{where} has no oci.conf, so Slurm would have run the program outside any container; it was not run. "
    "Ask the site's administrator to install oci.conf there"
)
TERMINAL = {"0": "terminal", "1": "terminal"}
PIPES = {"0": "srun-stdin", "1": "srun-stdout", str(STDERR): "srun-stderr"}
"""Descriptor number of srun to name of the anchor's descriptor; 2 is the log, for srun's own words."""


class Step:
    """Pure: commands and ticks in, effects out.

    Attributes:
        nodes: those on which it runs.

    """

    def __init__(self, creation: Creation, scheduler: Scheduler, log: str, job_said: Callable[[], str]) -> None:
        """Args:
        creation: what ``create`` found out.
        scheduler: what the commands are, and what they mean.
        log: path of the file that srun writes to.
        job_said: what salloc has said.
        """
        self._job_said = job_said
        self._creation = creation
        self._scheduler = scheduler
        self._spool = Spool(creation)
        self.nodes = Nodes(scheduler, self._spool)
        self._attempts = Attempts(self._spool, "step", log)
        self._stdio = TERMINAL if creation.terminal else PIPES
        self._looks = Looks()
        self._status: int | None = None
        self._young = True
        self._explained = False
        self._questions = 0
        self._patient = True
        self._job_id = 0
        self._bundle = ""
        self._argv: tuple[bytes, ...] = ()
        self._programs = ""
        self._never = ""

    def launch(
        self, job_id: int, bundle: str, argv: tuple[bytes, ...], programs: str = "", *, retry: bool, runs: bool = False
    ) -> list[Effect]:
        """Start srun; a repetition of the wish changes nothing, but that it may have become the last one."""
        self._patient = retry
        if self._attempts.waiting and not retry:
            return self._conclude()
        if self._bundle:
            return []
        self._job_id, self._bundle, self._argv, self._programs = job_id, bundle, argv, programs
        # A successor comes when the step has long run: its predecessor has stayed while it was young.
        self._young = not runs
        return self._spawn()

    def next(self) -> list[Effect]:
        """Start srun once more: the controller has not heard the last one."""
        if not self._attempts.waiting:
            return []
        self._attempts.next()
        self._looks = Looks()
        self._status = None
        return self._spawn()

    def _spawn(self) -> list[Effect]:
        terminal = self._creation.terminal
        if terminal:
            from actors.staging import console_size  # json is for those who need it

            console_size.tell(self._bundle)
        try:
            command = self._command(self._argv, terminal=terminal)
        except ScrunError as error:
            return [self._let_go(), Report(e.StepEnded(Ending("launch-failed", REFUSED, 0, error.sentence)))]
        files = {**self._stdio, "2": self._attempts.log}
        # The bundle's path is absolute; "/" cannot vanish under a process that lives as long as the container.
        spawn = talk.Spawn(self._attempts.name, command.argv, command.env, "/", files, terminal=terminal)
        return [ToAnchor(spawn), Later("step-log", self._looks.next())]

    def _command(self, argv: tuple[bytes, ...], *, terminal: bool) -> Command:
        prolog = f"{self._programs}/{PROLOG}" if self._has(PROLOG) else ""
        return self._scheduler.step(
            self._creation,
            self._job_id,
            self._bundle,
            argv,
            terminal=terminal,
            prolog=prolog,
            gpus=self._note(GPUS),
        )

    def _has(self, name: str) -> bool:
        """Whether the node's programs have this among them."""
        return bool(self._programs) and os.path.lexists(f"{self._programs}/{name}")

    def _note(self, name: str) -> str:
        """A line that is noted beside the node's programs, or nothing."""
        try:
            with open(f"{self._programs}/{name}", encoding="utf-8", errors="backslashreplace") as file:
                return file.readline(1000).strip()
        except OSError:
            return ""

    def _let_go(self) -> ToAnchor:
        """There will be no other attempt: the ends of file shall arrive."""
        return ToAnchor(talk.Close(tuple(self._stdio.values())))

    def look(self) -> list[Effect]:
        """Read what srun has said so far."""
        news = self._news()
        if news.started:
            started = e.StepStarted(news.step_id, news.nodes)
            return [
                self._let_go(),
                Report(started),
                Later("grown", YOUNG),
                self.nodes.begin(soon=not self._young),
                *self._window(),
            ]
        return [Later("step-log", self._looks.next())] if self._status is None else []

    def rest(self) -> talk.Rest | None:
        """Nothing but srun's end, and the loss of a node, is to be waited for; None: more than that."""
        return None if self._young or self._status is not None else self.nodes.rest(self._job_id, self._news())

    def grown(self) -> list[Effect]:
        """The step has run for so long that its program must have begun."""
        self._young = False
        return []

    def _window(self) -> list[Effect]:
        """From now on srun can be told window sizes; a moment later once more, if its thread for them was slow."""
        return [*self.window(), Later("window", WINDOW_AGAIN)] if self._creation.terminal else []

    def window(self) -> list[Effect]:
        """See ``actors.anchor.window``."""
        return [ToAnchor(talk.FollowWindow())]

    def look_at_nodes(self) -> list[Effect]:
        """See whether the step has still the nodes on which it began."""
        return self.nodes.look(self._job_id, self._news()) if self._status is None else []

    def told_of_nodes(self, name: str) -> list[Effect]:
        """Read whether it has lost one."""
        return self.nodes.told(name, self._job_id, self._news()) if self._status is None else []

    @property
    def attempt(self) -> str:
        """Name of the last attempt's command."""
        return self._attempts.name

    def exited(self, status: int) -> list[Effect]:
        """Find out what srun's end means."""
        if not self._bundle:
            return []  # told to a new actor, which will ask for this command when it knows what to launch
        self._status = status
        if self.nodes.lost and not self._explained and self._news().wait_status is None:
            self._explained = True
            ended = e.StepEnded(Ending("node-failure", KILLED, KILL, self.nodes.lost))
            return [Never("lost"), Never("nodes"), Never("step-log"), Report(ended)]
        news = self._news()
        if news.away and self._patient and not self._attempts.enough:
            pause = self._attempts.wait()
            waiting = f"the launch was not heard: {news.failure}; trying again in {pause:g} s"
            return [Never("step-log"), Log("info", waiting), Later("step", pause)]
        return self._conclude()

    def _conclude(self) -> list[Effect]:
        """Find out what the end of the last attempt means."""
        self._attempts.waiting = False
        news = self._news()
        effects: list[Effect] = [Never("step-log"), Never("step"), self._let_go()]
        if news.started:
            effects.append(Report(e.StepStarted(news.step_id, news.nodes)))
        if self._young and self._status and self._has(COLLECT) and not self._has(MADE):
            from actors.staging.overlay.node_programs import NodePrograms  # json and others: hardly ever

            programs = NodePrograms(self._programs)
            self._never = programs.killed
            if sentence := programs.failure:
                self._explained = True
                return [*effects, Report(e.StepEnded(Ending("launch-failed", REFUSED, 0, sentence)))]
        if self._young and self._status and (sentence := self._note(REFUSAL)):
            self._explained = True
            return [*effects, Report(e.StepEnded(Ending("launch-failed", REFUSED, 0, sentence)))]
        doubtful = may_be_outside(news) or (self._young and may_be_the_runtimes(news))
        if doubtful and self._creation.settings.scrun.entry:
            return [*effects, self._probe(), Later("why", PROBE_LIMIT)]
        if not needs_inquiry(news):
            return effects + self.explain(None)
        return [*effects, Later("why", WHY_LIMIT), *self.inquire()]

    def _probe(self) -> ToAnchor:
        """Find out whether exit status 1 or 2 was the program's: start a program that does not exist.

        In a container the entry file exits with 127 then. On a node without oci.conf it is not there, and execve's
        ENOENT becomes the exit status 2. A runtime that cannot start a container says so and exits with 1.
        """
        argv = entry_argv(self._creation.cookie, NO_PROGRAM, (NO_PROGRAM,), self._creation.entry_directory)
        command = self._command(argv, terminal=False)
        log = self._spool.path("probe")
        return ToAnchor(talk.Spawn("probe", command.argv, command.env, "/", {"2": log, str(STDERR): log}))

    def probed(self) -> list[Effect]:
        """Read the probe's end."""
        said = self._spool.said("probe")
        news = self._scheduler.read_step(said)
        sentence = ""
        if may_be_outside(news):
            # (slurmstepd's own line does not name its node any more: 26.05)
            one = news.nodes and "," not in news.nodes
            sentence = OUTSIDE.format(where=f"node {news.nodes}" if one else "a node of the job")
        elif may_be_the_runtimes(news):
            sentence = runtime_words.sentence(said)
        sentence = sentence or self._never
        if not sentence or self._explained:
            return self.explain(None)
        self._explained = True
        return [Report(e.StepEnded(Ending("launch-failed", REFUSED, 0, sentence)))]

    def inquire(self) -> list[Effect]:
        """Ask what Slurm knows about the job."""
        query = self._scheduler.inquire(self._job_id)
        if query is None:
            return self.explain(None)
        self._questions += 1
        return [self._spool.ask(f"why-{self._questions}", query.command)]

    def answered(self, name: str, status: int) -> list[Effect]:
        """Read what it knows."""
        if status != 0 and not self._explained:
            return [Later("why-again", WHY_AGAIN)]
        query = self._scheduler.inquire(self._job_id)
        return self.explain(query.read(self._spool.said(name)) if query is not None else None)

    def unexplained(self) -> list[Effect]:
        """There was no answer in time."""
        return [Log("info", "Slurm did not say in time why the step ended"), *self.explain(None)]

    def explain(self, info: JobInfo | None) -> list[Effect]:
        """Report the end with the best explanation there is; once."""
        if self._explained or self._status is None:
            return []
        self._explained = True
        news = self._news()
        if over_memory(self._job_said()):
            news = replace(news, out_of_memory=True)
        ending = self._scheduler.explain(info, news, self._status)
        caller = self._creation.caller
        if sessions.are_over(caller.uid):
            ending = with_session(ending, caller.user)
        ended = e.StepEnded(ending)
        return [Never("why"), Never("why-again"), Report(ended)]

    def _news(self) -> StepNews:
        said = self._attempts.said
        news = self._scheduler.read_step(said)
        cut = self._status is not None and os.WIFEXITED(self._status) and not said.endswith("\n")
        # It never says nothing, nor half a line, unless it is killed: its words found no room. Its exit status is the
        # program's.
        return replace(news, started=True) if cut and not news.failure else news
