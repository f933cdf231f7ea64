"""What is done after an anchor that did not end in order: by its guard, or by ``delete`` if that is dead, too.

Everything here may run twice and may be killed in the middle. It goes by the journal, not by memory.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from select import PIPE_BUF

from actors.process.command import Command
from actors.process.logbook import Logbook
from actors.slurm import scheduler_for
from actors.slurm.origin import HOLDER
from actors.slurm.replies import released
from actors.slurm.scheduler import Scheduler
from proto.errors import ScrunError
from proto.exit_codes import KILLED
from proto.host.paths import ContainerPaths, fd_path
from proto.host.trees import remove_tree
from proto.life import ends, lifecycle, state_file
from proto.life import events as e
from proto.life.container import Container
from proto.life.creation import Creation
from proto.life.ending import Ending
from proto.life.journal import Journal, read
from proto.wire.registry import Message

from .processes import end_processes

PATIENCE = 3600.0
"""Seconds for which a controller that does not answer is asked again: an administrator's coffee, not a holiday."""
COMMAND_LIMIT = 15.0
"""Seconds that one command of Slurm may take."""
STEP_LIMIT = 2.0
"""The same for killing the step, which the job's end does too, if later: scancel waits 10 s for a silent node."""
NODE_LIMIT = 8.0
"""The same where more depends on it: less than that, but more than a busy controller takes."""
HURRY = 20.0
"""Seconds for staging out when the end was demanded by force: time for what matters, and less than ``delete`` waits."""
PAUSES = (0.1, 0.5, 1.0, 2.0, 5.0)


def main(anchor: int, journal: int) -> None:
    """Clear up after an anchor that is gone; its journal, an open file, says what there was."""
    path = fd_path(journal)
    creation = lifecycle.replay(read(path)[:1]).creation
    if creation is not None:
        clean_up(creation, anchor, path)


def clean_up(creation: Creation, anchor: int, path: str) -> None:
    """End processes and job, stage out what can be, and record how the container ended.

    Args:
        creation: what ``create`` found out.
        anchor: pid that the anchor had, whose session its relatives are in; -1 if another process may have it by now.
        path: of the journal.

    """
    paths = ContainerPaths(creation.root, creation.id)
    log = Logbook(creation, "guard")
    log.write("error", f"the anchor (pid {anchor}) is gone without a word; clearing up")
    end_processes(paths, anchor, spared=HOLDER)
    try:
        journal = Journal(path)
    except FileNotFoundError:
        end_processes(paths, anchor)
        return
    container = lifecycle.replay(journal.records)
    goes_on = not container.finished or container.given_up
    if goes_on and container.programs:
        _collect(creation, container, log)
    end_processes(paths, anchor)
    if goes_on:
        container = _conclude(container, journal, log)
    with contextlib.suppress(OSError):
        state_file.write(paths, state_file.render(container, anchor, 0), last=container.finished)
    ends.note(container, journal.records[-1].time)
    if not container.answered:
        # create never returned 0, so for the engine there never was a container.
        remove_tree(paths.directory)
    journal.close()


def _conclude(container: Container, journal: Journal, log: Logbook) -> Container:
    whole = True

    def happen(event: Message) -> None:
        nonlocal container, whole
        # An anchor that gave up has written the last record already: then it is done, and not recorded.
        if not container.finished and not lifecycle.knows(container, event):
            container = lifecycle.apply(container, event)
            # On a full disk, too, the job must be given back. What follows a gap could not be read.
            try:
                if whole:
                    journal.append(event)
            except OSError:
                whole = False

    creation = container.creation
    if creation is None:
        return container
    forced = container.forced
    happen(e.CancelRequested("the death of scrun's anchor process", KILLED, forced=True))
    scheduler = scheduler_for(creation)
    # A job may have been asked for whose number is not in the journal yet: the cookie finds it.
    if container.ours:
        released = _release(scheduler, creation, container, log)
        if not released:
            log.write("error", f"the job could not be released; cancel it: scancel {container.job_id or '(unknown)'}")
    if container.step in {"launching", "running"}:
        happen(e.StepEnded(Ending("killed", KILLED, signal.SIGKILL, "")))
        happen(e.OutputDrained(0, 0, 0))
    if container.stage not in {"none", "out"}:
        failure = _stage_out(creation, container, log, forced=forced)
        if failure:
            log.write("error", failure)
        happen(e.StagedOut(failure))
    happen(e.JobReleased())
    happen(e.Finished())
    return container


def _collect(creation: Creation, container: Container, log: Logbook) -> None:
    """Fetch what the container has changed from its node, for which the job is needed; it is given back afterwards."""
    from actors.staging.overlay.node_programs import NodePrograms

    if not NodePrograms(container.programs).lost:
        return
    if container.step != "ended" and container.step_id:
        kill = scheduler_for(creation).signal(container.step_id, signal.SIGKILL)
        if not released(*run(kill, NODE_LIMIT)):
            log.write("error", "the node does not answer, so what the container has changed stays there")
            return
    from actors.staging.actor import collect

    _, cut = _in_time(lambda: collect(creation, container, log.write), HURRY)
    if cut:
        log.write("error", f"the node did not give what the container has changed within {HURRY:g} s")


def _stage_out(creation: Creation, container: Container, log: Logbook, *, forced: bool) -> str:
    """Stage out; return what went wrong, or nothing."""
    from actors.staging.actor import stage_out
    from actors.staging.directory import discard

    limit = HURRY if forced else creation.settings.staging.time_limit or PATIENCE
    failure, cut = _in_time(lambda: stage_out(creation, container, log.write), limit)
    if cut:
        with contextlib.suppress(ScrunError):
            discard(creation)
        return f"staging out was cut off after {limit:g} s"
    return failure


def _in_time(work: Callable[[], str], limit: float) -> tuple[str, bool]:
    """Stage; return what went wrong, or nothing, and whether the time was up.

    In a process of its own, because nothing else stops a script. Its clock is its own, too: this process may be killed.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setpgid(0, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, limit)
            failure = work()
        except BaseException as error:
            failure = f"staging failed: {error!r}"
        os.write(write, failure.encode(errors="replace")[:PIPE_BUF])
        os._exit(0)
    os.close(write)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    with open(read, encoding="utf-8", errors="replace") as file:
        return file.read(), os.WIFSIGNALED(status)


def _release(scheduler: Scheduler, creation: Creation, container: Container, log: Logbook) -> bool:
    deadline = time.monotonic() + PATIENCE
    attempt = 0
    while True:
        if _release_once(scheduler, creation, container):
            return True
        if time.monotonic() > deadline:
            return False
        log.write("error", "Slurm does not answer; asking again")
        # Not a test and not a poll of something that could be waited for: Slurm is away.
        time.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
        attempt += 1


def _release_once(scheduler: Scheduler, creation: Creation, container: Container) -> bool:
    jobs = [container.job_id]
    search = scheduler.find(creation.cookie)
    if not container.job_id and search is not None:
        status, text = run(search.command)
        if status:
            return False
        jobs = search.read(text)
    if container.step_id:
        # Slurm ends a step at once and a job only after KillWait.
        run(scheduler.signal(container.step_id, signal.SIGKILL), STEP_LIMIT)
    commands = [command for command in map(scheduler.cancel, jobs) if command is not None]
    return all(released(*run(command)) for command in commands)


def run(command: Command, limit: float = COMMAND_LIMIT) -> tuple[int, str]:
    """Run one of Slurm's commands; return its status (124 if it took too long) and what it said."""
    environment = dict(pair.split(b"=", 1) for pair in command.env)
    try:
        done = subprocess.run(
            command.argv, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=limit, check=False,
        )  # fmt: skip
    except (subprocess.TimeoutExpired, OSError) as error:
        return 124, str(error)
    return done.returncode, done.stdout.decode(errors="replace")
