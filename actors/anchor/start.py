"""What the anchor does before it has any actor: takes the engine's descriptors over, makes the pipes and
sockets, writes the first records of the journal and asks for the job.
"""

import fcntl
import json
import os

from actors.allocation import scheduler_for
from actors.allocation.job import HELD, attempts_of, spawn_of
from actors.forking import close_all_but, detach_stdio
from actors.stdio import streams, terminal
from actors.stdio.mover import make_pipe
from proto import events as e
from proto.creation import Creation
from proto.journal import Journal
from proto.paths import ContainerPaths

from .commands import Commands
from .descriptors import Descriptors, sockets

_HIGH = 16


def prepare(creation: Creation, *keep: int) -> tuple[Descriptors, Commands]:
    """Do all that; return the anchor's descriptors and its commands.

    Args:
        creation: what ``create`` found out.
        keep: descriptors that stay open besides the engine's three.

    Raises:
        LaunchError: the terminal could not be handed to the engine.

    """
    paths = ContainerPaths(creation.root, creation.id)
    descriptors = Descriptors()
    _take_engine_descriptors(descriptors, creation, keep)
    for name, number in sockets(paths).items():
        descriptors.put(name, number)
    commands = Commands(descriptors, f"SCRUN_SOCKET={paths.hub}".encode())
    _ask_for_job(creation, paths, descriptors, commands)
    return descriptors, commands


def _take_engine_descriptors(descriptors: Descriptors, creation: Creation, keep: tuple[int, ...]) -> None:
    streams.open_missing()
    close_all_but({0, 1, 2, *keep})
    facts = [streams.facts(number) for number in (0, 1, 2)]
    stdin, stdout, stderr = (fact.kind for fact in facts)
    one_file = streams.same_file(facts[1], facts[2])
    plan = streams.plan(stdin, stdout, stderr, creation.terminal, one_file=one_file)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if creation.terminal:
            break  # these are create's own: containerd reads them to the end before it goes on
        # What is not forwarded goes to srun as it is, and to nobody else.
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
    with open(ContainerPaths(creation.root, creation.id).config, "rb") as file:
        config = json.loads(file.read().decode("utf-8", "surrogateescape"))
    size = config["process"].get("consoleSize")
    return (size.get("height") or 0, size.get("width") or 0) if size else None


def _ask_for_job(creation: Creation, paths: ContainerPaths, descriptors: Descriptors, commands: Commands) -> None:
    """Ask at once: the grant comes while the anchor still imports what the actors need."""
    journal = Journal(paths.journal)
    journal.append(e.CreateBegun(creation))
    command = scheduler_for(creation).request(creation)
    if command is not None:
        journal.append(e.JobRequested(creation.cookie))
        reader, writer = os.pipe()
        descriptors.put(HELD, reader)
        descriptors.put("hold", writer)
        commands.spawn(spawn_of(creation, command, attempts_of(creation)), "allocation")
    journal.close()
