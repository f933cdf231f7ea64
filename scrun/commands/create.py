"""``scrun create``: check everything, reserve the id, have the anchor begin, and run the hooks that belong here."""

import contextlib
import os
import socket
from collections.abc import Callable

from actors.boot import Embryo
from actors.oci import hook_config
from actors.oci.bundle import Bundle
from actors.stdio.null import mend
from proto.errors import DeadlineError, InternalError, ScrunError, unwritable
from proto.host import gate
from proto.host.paths import ContainerPaths, make_root
from proto.life.creation import Creation
from scrun.box import directory, pidfile
from scrun.cli.given import absolute
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.create import creating, remains
from scrun.create.neighbours import claim
from scrun.packages import use_packages

# How long the processes of a failed ``create`` may take to go.
GO_LIMIT = 30.0


def run(line: Line) -> int:
    """Create the container; silent, since standard error is the container's."""
    use_packages()
    mend()
    with Embryo() as anchor:
        paths = ContainerPaths(root_of(line), line.id)
        creation, bundle = creating.prepare(line, paths.root)
        make_container(paths, creation, bundle, anchor, hand_pidfd(line))
    return 0


def hand_pidfd(line: Line) -> Callable[[int], None] | None:
    """What hands a pidfd of the anchor to the socket that the line names; None if it names none."""
    path = absolute(line.own.text("pidfd-socket"))
    if not path:
        return None
    from scrun.box import pidfd

    return lambda pid: pidfd.send(path, pid)


def make_container(
    paths: ContainerPaths,
    creation: Creation,
    bundle: Bundle,
    anchor: Embryo,
    told: Callable[[int], None] | None = None,
    *,
    starts: bool = False,
) -> None:
    """Reserve the id and start the anchor; on failure nothing is left.

    Args:
        paths: the container's paths.
        creation: what it shall be.
        bundle: its bundle.
        anchor: what becomes its anchor.
        told: called with the anchor's pid as soon as there is one.
        starts: whether this process goes on to start it, so that nobody waits for it without this process.

    Raises:
        ScrunError: it could not be created.

    """
    hooks, notes = hook_config.choose(bundle.hooks, creation.settings.hooks)
    early = {kind: hooks[kind] for kind in hook_config.AT_CREATE if kind in hooks}
    from actors.staging import sources

    copies = [] if creation.settings.scrun.lua else sources.check(creation, bundle.config)
    new = not os.path.isdir(paths.root)
    make_root(paths.root)
    directory.sweep(paths.root)
    locks = [directory.reserve(paths)]

    def on_anchor(pid: int, connection: socket.socket) -> None:
        if creation.pid_file:
            pidfile.write(creation.pid_file, pid)
        if told:
            told(pid)
        if early:
            os.close(locks.pop(0))  # the anchor has it; if a hook fails, this process waits for its end
            _run_hooks(paths, early, connection)
            os.close(locks.pop())  # what the hooks wrote is staged now

    try:
        try:
            _keep_config(paths, bundle)
            claim(paths, copies)
            if bundle.hooks:
                _note_hooks(paths, creation, hooks, notes)
            if early:
                locks.append(gate.close(paths.config))
        except OSError as error:
            raise unwritable(paths.root, error) from None
        connection = anchor.begin(creation, locks[0], on_anchor, starts=starts)
    except BaseException as error:
        _close(locks)
        if isinstance(error, InternalError):
            _add_last_words(error, paths.log)
        if creation.pid_file:
            pidfile.remove(creation.pid_file)
        _clear(paths)
        raise
    _close(locks)
    with connection, contextlib.suppress(OSError):  # it is over already, as the engine will see
        connection.send(b".")
    with contextlib.suppress(OSError):  # this container has been created, whatever becomes of others
        remains.see_to(paths, new=new)


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _keep_config(paths: ContainerPaths, bundle: Bundle) -> None:
    """Keep config.json as it is now."""
    descriptor = os.open(paths.config, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(bundle.data)


def _note_hooks(paths: ContainerPaths, creation: Creation, chosen: hook_config.Hooks, notes: list[str]) -> None:
    """Take down what ``start`` and ``delete`` shall run, and say in the container's log what is left out."""
    from actors.process.logbook import Logbook
    from scrun.hooks import moments

    moments.note(paths, chosen)
    for sentence in notes:
        Logbook(creation, "create").write("info", sentence)


def _run_hooks(paths: ContainerPaths, chosen: hook_config.Hooks, connection: socket.socket) -> None:
    """Run the hooks of ``create`` once it has its job, or need not wait for it; on failure nothing of it is left.

    Raises:
        HookError: one failed.

    """
    from scrun.box.box import find
    from scrun.delete.removal import delete
    from scrun.hooks import moments

    if not moments.wait_for_job(paths, connection):
        return  # it has failed already, as the answer says
    try:
        moments.at_create(find(paths.root, paths.id), chosen)
    except BaseException:
        try:
            delete(paths, force=True)
        except ScrunError:
            pass  # the hook's failure is what is reported; a second delete --force finds what is left
        raise


def _add_last_words(error: InternalError, log: str) -> None:
    """Tell the end of the container's own log, which goes with the directory."""
    from actors.process.logbook import last_words

    words = last_words(log)
    if words and words not in error.sentence:
        error.sentence += f"; its last words: {words}"


def _clear(paths: ContainerPaths) -> None:
    """Take the directory away once the last process of the failed container has gone."""
    import time

    try:
        lock = directory.wait_for_lock(paths, time.monotonic() + GO_LIMIT)
    except DeadlineError:
        return  # ``delete --force`` finds it
    if lock is not None:
        from scrun.delete.removal import clear_up, unfinished

        if unfinished(paths):
            clear_up(paths)  # anchor and guard died before they could: no other process knows of the job
        with contextlib.suppress(ScrunError):  # why it could not be created is what is reported
            directory.remove(paths)
        os.close(lock)
