"""``scrun kill``: give the container a signal; what means nothing on the way is answered here."""

from proto import exit_codes as signals
from proto.errors import AnchorGoneError, DeadlineError, StorageError, WrongStateError
from scrun.box.box import Box, find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of
from scrun.hub.client import ask

# scancel gives up after 10 s where no controller listens, and its reason can be told; after 21 s where one hangs.
SECONDS = 15.0
# podman gives up 5 s after "kill KILL", whatever the reason that it takes so long.
KILL_SECONDS = 2.0
GONE_SECONDS = 1.0


def run(line: Line) -> int:
    """Send the signal."""
    root = root_of(line)
    every = line.own.flag("all")
    if line.own.flag("regex"):
        from scrun.cli.matching import each

        signal = _signal(line)
        each(root, line.id, lambda paths: _kill(find(root, paths.id), signal, every=True))
    else:
        container = find(root, line.id)
        _kill(container, _signal(line), every=every)
    return 0


def _signal(line: Line) -> int:
    return signals.parse(line.arguments[1] if len(line.arguments) > 1 else "TERM")


def _kill(container: Box, signal: int, *, every: bool) -> None:
    try:
        kill(container, signal)
    except (WrongStateError, AnchorGoneError):
        # With --all, and for SIGKILL while the container was ending, "it is over" is what was asked for.
        if not every:
            raise WrongStateError("container not running") from None


def kill(container: Box, signal: int) -> None:
    """Send a signal.

    Raises:
        WrongStateError: the container is not running.
        AnchorGoneError: it ended meanwhile.
        DeadlineError: there was no answer.
        StorageError: it could not be written down, so it was not sent.

    """
    if container.status == "stopped":
        raise WrongStateError("container not running")
    if signal == 0 or (signal == signals.WINCH and container.file.window):
        return
    try:
        ask(container, "kill", {"signal": signal}, KILL_SECONDS if signal == signals.KILL else SECONDS)
    except AnchorGoneError:
        if signal != signals.KILL:
            raise
    except (DeadlineError, StorageError):
        if signal != signals.KILL:
            raise
        # The guard notices, cancels the job and clears up.
        container.kill_anchor(signals.KILL)
        container.wait_gone(GONE_SECONDS)
