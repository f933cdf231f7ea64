"""``scrun start``: have the program run, and wait until it does, for as long as the job is queued or staged in."""

import os

from proto.errors import AnchorGoneError, HookError, LaunchError, ScrunError, WrongStateError
from proto.exit_codes import INT
from scrun.box.box import Box, find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.hub.client import ask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scrun.hub.waiting import Waiting


def run(line: Line) -> int:
    """Start the container's program."""
    start(find(root_of(line), line.id))
    return 0


def start(container: Box) -> None:
    """Ask for the start and wait for it.

    Raises:
        WrongStateError: the container has stopped, or runs already.
        LaunchError: it ended before its program ran.
        HookError: a poststart hook failed, and that has been the container's end.

    """
    if not container.alive():
        raise _reason(container) or WrongStateError("cannot start a container that has stopped")
    waiting = _at_terminal(container) if os.isatty(2) else None
    podman = _podman()

    def meanwhile() -> None:
        if podman and os.getppid() != podman:
            raise KeyboardInterrupt  # podman was killed, and takes it for a container that was never started
        if waiting is not None:
            waiting()

    try:
        try:
            ask(container, "start", {}, None, meanwhile)
        finally:
            if waiting is not None:
                waiting.close()
        if os.path.exists(container.paths.hooks):
            _run_hooks(container)
    except AnchorGoneError:
        try:
            container = find(container.paths.root, container.paths.id)
        except ScrunError:
            pass  # a ``delete`` has taken it away
        raise _reason(container) or LaunchError("the container ended before its program was started") from None
    except KeyboardInterrupt:
        # Ctrl-C during "podman run": podman does not come back for a container whose start failed.
        container.kill_anchor(INT)
        raise


def _podman() -> int:
    """Pid of the podman that has called; 0 if it was somebody else, without whom a start may go on."""
    pid = os.getppid()
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return pid if file.read() == "podman\n" else 0
    except OSError:
        return 0


def _at_terminal(container: Box) -> "Waiting":
    from scrun.hub.waiting import Waiting

    return Waiting(container, 2)


def _reason(container: Box) -> LaunchError | None:
    """Why a container has ended whose program never ran, if that is known: it was queued or staged in, perhaps."""
    import json

    annotations = json.loads(container.file.text)["annotations"]
    sentence = annotations.get("scrun.end-reason", "")
    return LaunchError(sentence) if sentence and "scrun.step" not in annotations else None


def _run_hooks(container: Box) -> None:
    """Run poststart moments.

    Raises:
        HookError: one failed; nothing is left of the container.

    """
    from scrun.hooks import moments

    try:
        moments.at_start(container)
    except HookError:
        from scrun.delete.removal import delete

        try:
            delete(container.paths, force=True)
        except ScrunError:
            pass  # as in create
        raise
