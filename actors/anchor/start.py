"""What the anchor does before it has any actor: takes the engine's descriptors over, makes the pipes, sockets and
files, writes the first records of the journal and asks for the job.

What is made here is held by descriptors from then on, with room for what has to be written: a state directory that
becomes full, closed or is taken away harms no container that is there.
"""

import fcntl
import os

from actors.allocation.job import HELD, spawn_of
from actors.oci import config_file
from actors.process.forking import detach_stdio
from actors.process.pipes import NARROW, make_pipe, resize
from actors.slurm import scheduler_for
from actors.stdio import streams
from proto.errors import unwritable
from proto.host import terminal
from proto.host.paths import ContainerPaths, fd_path
from proto.life import events as e
from proto.life import lifecycle, state_file
from proto.life.container import Container
from proto.life.creation import Creation
from proto.life.journal import ROOM, Journal

from .commands import CommandTable
from .descriptors import Descriptors, open_log, sockets

_HIGH = 16
WORDS = 8192
"""Bytes that salloc and srun may say, each, however full the file system: srun has said 800 when a program runs on one
node (measured)."""


def prepare(creation: Creation, journal: int, hold: tuple[int, int]) -> tuple[Descriptors, CommandTable]:
    """Do all that; return the anchor's descriptors and its commands.

    Args:
        creation: what ``create`` found out.
        journal: descriptor of the journal.
        hold: the pipe that holds the job: to be read from, and to be written to.

    Raises:
        LaunchError: the terminal could not be handed to the engine.
        StorageError: the state directory is full, or cannot be written.

    """
    paths = ContainerPaths(creation.root, creation.id)
    descriptors = Descriptors()
    descriptors.put("journal", journal)
    resize(hold[1], NARROW)
    _take_engine_descriptors(descriptors, creation)
    command = scheduler_for(creation).request(creation)
    try:
        for name, number in sockets(paths).items():
            descriptors.put(name, number)
        descriptors.put("step-log", open_log(paths.step_log, WORDS))
        if command is not None:
            descriptors.put("job-log", open_log(paths.job_log, WORDS))
        _begin_records(creation, paths, journal, asked=command is not None)
    except OSError as error:
        raise unwritable(creation.root, error) from None
    commands = CommandTable(descriptors, paths.mark)
    if command is not None:
        # At once: the grant comes while the actors begin.
        descriptors.put(HELD, hold[0])
        descriptors.put("hold", hold[1])
        commands.spawn(spawn_of(creation, command), "allocation")
    return descriptors, commands


def _take_engine_descriptors(descriptors: Descriptors, creation: Creation) -> None:
    facts = [streams.facts(number) for number in (0, 1, 2)]
    stdin, stdout, stderr = (fact.kind for fact in facts)
    one_file = streams.same_file(facts[1], facts[2])
    plan = streams.plan(stdin, stdout, stderr, creation.terminal, one_file=one_file)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if creation.terminal:
            break  # these are create's own: containerd reads them to the end before it goes on
        # What is not forwarded goes to srun as it is, and to no other process.
        kept = name if name in plan.forwarded() else f"srun-{name}"
        descriptors.put(kept, fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _HIGH))
    # conmon's pipes: only the copies under the names above are left, and only stdio inherits those.
    detach_stdio()
    if creation.terminal:
        slave = terminal.open_terminal(creation.console_socket, _console_size(creation))
        terminal.take(slave)
        descriptors.put("terminal", slave)
    for name in plan.forwarded():
        reader, writer = make_pipe()
        ours, theirs = (writer, reader) if name == "stdin" else (reader, writer)
        descriptors.put(f"step-{name}", ours)
        descriptors.put(f"srun-{name}", theirs)


def _console_size(creation: Creation) -> tuple[int, int] | None:
    size = config_file.read(ContainerPaths(creation.root, creation.id).config)["process"].get("consoleSize")
    return (size.get("height") or 0, size.get("width") or 0) if size else None


def _begin_records(creation: Creation, paths: ContainerPaths, number: int, *, asked: bool) -> None:
    """Write the first records and the first ``state.json``, and keep room for all that will follow."""
    journal = Journal(fd_path(number))
    first = e.CreateBegun(creation)
    journal.append(first)
    # The program and its arguments come again, when it has been staged.
    journal.reserve(ROOM + sum(len(word) + 5 for word in creation.args))
    anchor = os.getpid()
    text = state_file.render(lifecycle.apply(Container(), first), anchor, state_file.start_time(anchor))
    size = state_file.write(paths, text)
    state_file.keep_room(paths, size)
    if asked:
        journal.append(e.JobRequested(creation.cookie))
    journal.close()
