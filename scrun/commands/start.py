"""``scrun start``: have the program run, and wait until it does, for as long as the job is queued."""

from proto.errors import LaunchError, WrongStateError
from scrun.client import AnchorGoneError, ask
from scrun.container import Container, find
from scrun.main import root_of
from scrun.parsing import Line
from scrun.signals import INT


def run(line: Line) -> int:
    """Start the container's program."""
    start(find(root_of(line), line.id))
    return 0


def start(container: Container) -> None:
    """Ask for the start and wait for it.

    Raises:
        WrongStateError: the container has stopped, or runs already.
        LaunchError: it ended before its program ran.

    """
    if not container.alive():
        raise WrongStateError("cannot start a container that has stopped")
    try:
        ask(container, "start", {}, None)
    except AnchorGoneError:
        raise LaunchError("the container ended before its program was started") from None
    except KeyboardInterrupt:
        # Ctrl-C during "podman run": podman does not come back for a container whose start failed.
        container.kill_anchor(INT)
        raise
