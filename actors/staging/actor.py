"""The staging actor: brings the bundle to the nodes before the step, and changes back after it.

The work happens in a thread, because Lua cannot be stopped from inside: a time limit, a cancellation or a stuck script
ends this whole process group, and what has to happen next happens in a new incarnation. Else the one that has staged in
stages out, too, if the program ends before it goes to rest.
"""

import os
import signal
from collections.abc import Callable, Iterable

from actors.oci.entry import entry_argv
from actors.process.effects import Effect, Later, Never, Report, Tick, Work, Worked
from actors.process.logbook import Logbook
from actors.process.peer import PeerActor, Received
from actors.process.shell import run
from proto.errors import ScrunError
from proto.host import gate
from proto.host.paths import ContainerPaths
from proto.life import events as e
from proto.life import intents, talk
from proto.life.container import Container
from proto.life.creation import Creation
from proto.wire.registry import Message  # noqa: TC001 - as above

from . import progress, unstaged
from .bundle import Staged
from .directory import discard
from .stager import Stager, stager_for

LOG_WORDS = {-1: "error", 0: "info", 1: "verbose", 2: "debug", 3: "debug2", 4: "debug3", 5: "debug4"}
Log = Callable[[int, str], None]


def _end_this_incarnation() -> None:
    os.killpg(0, signal.SIGKILL)


class StagingLogic:
    """One piece of work at a time; a different one means that this incarnation has to go."""

    def __init__(
        self, creation: Creation, stager: Callable[[int, str], Stager], end: Callable[[], None] = _end_this_incarnation
    ) -> None:
        """Args:
        creation: what ``create`` found out.
        stager: makes the stager for a job and its nodes.
        end: ends this incarnation, with the processes of its script.
        """
        self._creation = creation
        self._stager = stager
        self._end = end
        self._task: Message | None = None
        self._works = False
        self._late = False
        limit = creation.settings.staging.time_limit
        self._too_long = f"staging took longer than the time limit of {limit:g} s"

    def start(self) -> Iterable[Effect]:
        """Nothing: the state actor says what is wanted."""
        return ()

    def handle(self, event: object) -> Iterable[Effect]:
        """What the state actor asks for, and how it went."""
        match event:
            case Received(envelope) if isinstance(envelope.message, intents.StageIn | intents.StageOut):
                return self._begin(envelope.message)
            case Worked("stage-in" | "stage-out", _, _) if self._late:
                return []  # its time was up; what it stumbled over is what was taken away from under it
            case e.StagingProgress():
                return [Report(event)]
            case Worked("stage-in", result, error):
                self._works = False
                return [Never("limit"), *self._staged_in(result, error)]
            case Worked("stage-out", _, error):
                self._works = False
                return [Never("limit"), Report(e.StagedOut(str(error) if error else ""))]
            case Worked("discard", _, error):
                return [Report(e.StagedOut(str(error or self._too_long)))]
            case Tick("limit"):
                return self._cut()
        return ()

    def rest(self) -> talk.Rest | None:
        """Not in the midst of its work; a new one would have to begin it anew."""
        return None if self._works else talk.Rest()

    def _begin(self, task: intents.StageIn | intents.StageOut) -> list[Effect]:
        if type(self._task) is type(task):
            return []  # heard twice
        if self._works:
            # Cancelled while the script still runs: end it, and let the next incarnation clear up.
            self._end()
            return []
        self._task, self._works = task, True
        limit = self._creation.settings.staging.time_limit
        stager = self._stager(task.job_id, task.nodes)
        work = (
            Work("stage-in", lambda tell: self._stage_in(stager, tell))
            if isinstance(task, intents.StageIn)
            else Work("stage-out", lambda _: stager.stage_out(task.bundle, task.rootfs, complete=task.complete))
        )
        return [work, Later("limit", limit)] if limit else [work]

    def _stage_in(self, stager: Stager, tell: Callable[[object], None]) -> Staged:
        """In a thread. Hooks of ``create`` may write into the root file system, and what they do is to be staged."""
        gate.wait(ContainerPaths(self._creation.root, self._creation.id).config)
        progress.LISTENER.set(lambda *numbers: tell(e.StagingProgress(*numbers)))
        return stager.stage_in()

    def _staged_in(self, result: object, error: BaseException | None) -> list[Effect]:
        if not isinstance(result, Staged):
            return [Report(e.StagingFailed(_sentence(error)))]
        creation = self._creation
        argv = creation.args
        if result.entry:
            argv = entry_argv(creation.cookie, creation.program, creation.args, creation.entry_directory)
        staged = e.StagedIn(result.bundle, result.rootfs, argv, result.notice, result.programs, result.trees)
        return [Report(staged)]

    def _cut(self) -> list[Effect]:
        self._late = True
        # The next message from the state actor, or the end of the container, ends the script's processes.
        if isinstance(self._task, intents.StageIn):
            return [Report(e.StagingFailed(self._too_long))]
        return [Work("discard", lambda _: self._discard())]

    def _discard(self) -> None:
        unstaged.note(self._creation, self._too_long)
        discard(self._creation)


def stage_out(creation: Creation, container: Container, write: Callable[[str, str], None]) -> str:
    """Stage out without an actor (the guard does); return what went wrong, or nothing."""
    stager = stager_for(creation, container.job_id, container.nodes, _log_to(write))
    try:
        stager.stage_out(container.bundle, container.rootfs, complete=container.step == "ended")
    except ScrunError as error:
        return error.sentence
    return ""


def collect(creation: Creation, container: Container, write: Callable[[str, str], None]) -> str:
    """Fetch what a container has changed from its node, before the job is given back (the guard does)."""
    stager_for(creation, container.job_id, container.nodes, _log_to(write)).collect()
    return ""


def show_changes(creation: Creation, container: Container, write: Callable[[str, str], None]) -> str:
    """Bring to the engine what a paused container has changed so far (``scrun pause``); return what went wrong."""
    return stager_for(creation, container.job_id, container.nodes, _log_to(write)).show_changes()


def _sentence(error: BaseException | None) -> str:
    if isinstance(error, ScrunError):
        return error.sentence
    return f"staging failed: {type(error).__name__}: {error}"


def _log_to(write: Callable[[str, str], None]) -> Log:
    return lambda level, text: write(LOG_WORDS.get(max(-1, min(level, 5)), "info"), text)


def main(begin: talk.Begin, channel: int) -> int:
    """Body of the process."""
    creation = begin.creation
    log = _log_to(Logbook(creation, "staging").write)
    logic = StagingLogic(creation, lambda job_id, nodes: stager_for(creation, job_id, nodes, log, begin.anchor))
    return run(PeerActor, begin, channel, logic)
