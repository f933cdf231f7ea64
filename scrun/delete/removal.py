"""The end of a container: its anchor ends it, or what is left of it is cleared up here; then its id is free.

On the path of ``delete``: what clears up is imported when there is something to clear up.
"""

import os
import time

from proto import exit_codes as signals
from proto.errors import AnchorGoneError, DeadlineError, NotFoundError, ScrunError, WrongStateError
from proto.host.paths import ContainerPaths
from scrun.box import directory
from scrun.box.box import Box, find
from scrun.hub.client import ask

SECONDS = 60.0
# After SIGKILL of the anchor: what the guard may need to cancel the job and clear up.
GUARD_SECONDS = 20.0
# All is over, and the anchor has only to say good-bye: one that does not has been stopped by the user or root.
GONE_SECONDS = 5.0


def delete(paths: ContainerPaths, *, force: bool) -> list[str]:
    """Delete a container; when this returns, nothing of it is left.

    Returns:
        A sentence for each poststop hook that failed, and for what is left in the staging directory.

    Raises:
        NotFoundError: there is none.
        WrongStateError: it has not stopped, or it is another user's and cannot end itself any more.
        DeadlineError: processes of it are still there.
        StorageError: its directory cannot be removed.

    """
    deadline = time.monotonic() + SECONDS
    container = _find(paths, deadline, force=force)
    if container is not None and container.alive():
        deadline = _end(container, deadline, force=force)
    lock = directory.wait_for_lock(paths, deadline)
    if lock is None:
        return []
    hooks = None
    warnings: list[str] = []
    try:
        if unfinished(paths):
            _check_owner(paths)
            clear_up(paths)
        if os.path.exists(paths.unstaged):
            _check_owner(paths)
            warnings = stage_out_again(paths)
        if os.path.exists(paths.hooks):
            _check_owner(paths)
            from scrun.hooks.moments import at_delete

            hooks = at_delete(paths)
        directory.remove(paths)
    finally:
        os.close(lock)
    return warnings + hooks.run_all() if hooks else warnings


def _find(paths: ContainerPaths, deadline: float, *, force: bool) -> Box | None:
    """The container; with ``force`` also what has no readable state: None, when no process of it is left.

    Raises:
        NotFoundError: there is no such container.

    """
    while True:
        try:
            return find(paths.root, paths.id)
        except NotFoundError:
            if not force or not os.path.isdir(paths.directory):
                raise
        except ScrunError:
            if not force:
                raise
        # A ``create`` is under way, or was: either it has a state soon, or its processes are gone.
        lock = directory.try_lock(paths)
        if lock is not None:
            os.close(lock)
            return None
        if time.monotonic() >= deadline:
            raise DeadlineError(f"container {paths.id} is still being created; try again")
        time.sleep(0.01)


def _end(container: Box, deadline: float, *, force: bool) -> float:
    """Have the anchor end the container; return the deadline for what comes after."""
    status = container.status
    if not force and status not in {"stopped", "created"}:
        raise WrongStateError(f"cannot delete container {container.paths.id} that is not stopped: {status}")
    try:
        ask(container, "delete", {"force": force}, deadline - time.monotonic())
    except AnchorGoneError:
        return deadline
    except ScrunError:
        if not force:
            raise
    else:
        left = max(0.0, deadline - time.monotonic())
        if container.wait_gone(min(left, GONE_SECONDS) if force else left) or not force:
            return deadline
    _check_owner(container.paths)
    container.kill_anchor(signals.KILL)
    return time.monotonic() + GUARD_SECONDS


def _check_owner(paths: ContainerPaths) -> None:
    """Root does nothing on the word of a file of another user's: whom to kill, where Slurm's commands are, which hooks.

    Raises:
        WrongStateError: the container is another user's.

    """
    if os.stat(paths.root).st_uid != os.geteuid():
        raise WrongStateError(
            f"container {paths.id} is another user's, and does not end itself; let its owner call scrun delete"
        )


def unfinished(paths: ContainerPaths) -> bool:
    """Whether the container's end is not recorded: asked when no process of it is left."""
    try:
        return find(paths.root, paths.id).recorded != "stopped"
    except ScrunError:
        return os.path.exists(paths.journal)


def clear_up(paths: ContainerPaths) -> None:
    """Do what anchor and guard would have done, if both of them were killed; the caller holds the lock."""
    from scrun.packages import use_packages

    use_packages()
    from actors.guard.clean_up import clean_up
    from proto.life import journal, lifecycle

    container = lifecycle.replay(journal.read(paths.journal))
    if container.creation is not None:
        # A session that no process has: the lock is free, so nothing of the anchor's is left, and its number may be
        # another process's by now. (0 would be every process whose session began outside this pid namespace.)
        clean_up(container.creation, -1, paths.journal)


def stage_out_again(paths: ContainerPaths) -> list[str]:
    """Do again what stage-out could not; return what is in the way still, or is lost. The caller holds the lock."""
    from scrun.packages import use_packages

    use_packages()
    from actors.process.logbook import Logbook
    from actors.staging.actor import stage_out
    from actors.staging.directory import staged_with
    from actors.staging.reach import place_of
    from proto.life import journal, lifecycle

    container = lifecycle.replay(journal.read(paths.journal))
    if container.creation is None:
        return []
    place = place_of(container.creation.settings, container.creation.caller.home)
    if not staged_with(place, container.creation.cookie):
        with open(paths.unstaged, encoding="utf-8") as file:
            return [file.read()]  # nothing is left to be done again
    failure = stage_out(container.creation, container, Logbook(container.creation, "delete").write)
    return [failure] if failure else []
