"""``scrun pause`` and ``scrun resume``: stop all processes of a container, and let them go on.

Slurm signals all processes of a step: where it tracks them by the freezer control group (proctrack/cgroup), STOP
freezes that, else each of them gets the signal. The job keeps its nodes, and its time limit goes on.

Engines pause a container to commit it. So what it has changed on its node is brought to them while it stands still.
"""

import json

from proto import exit_codes as signals
from proto.errors import StagingError, WrongStateError
from proto.host.paths import ContainerPaths
from scrun.box.box import find
from scrun.cli.parsing import Line
from scrun.cli.root import root_of

from .kill import kill

# Verb to the signal, the status in which that has a meaning, and the words of runc where it has none.
VERBS = {
    "pause": (signals.STOP, "running", "container not running"),
    "resume": (signals.CONT, "paused", "container not paused"),
}
WAITING = frozenset({"queued", "staging in"})
"""Phases of a container that runs for its engine alone."""


def run(line: Line) -> int:
    """Pause or resume the container.

    Raises:
        NotFoundError: there is no such container.
        WrongStateError: it does not run, or is not paused.
        StagingError: what it has changed could not be brought to the engine; it goes on.

    """
    signal, status, refusal = VERBS[line.verb]
    container = find(root_of(line), line.id)
    # Where ``start`` has returned early there is nothing yet that could be stopped.
    if container.status != status or json.loads(container.file.text)["scrun"].get("phase") in WAITING:
        raise WrongStateError(refusal)
    kill(container, signal)
    if line.verb == "pause" and (failure := _show_changes(container.paths)):
        kill(container, signals.CONT)
        raise StagingError(failure)
    return 0


def _show_changes(paths: ContainerPaths) -> str:
    from scrun.packages import use_packages

    use_packages()
    from actors.process.logbook import Logbook
    from actors.staging.actor import show_changes
    from proto.life import journal, lifecycle

    container = lifecycle.replay(journal.read(paths.journal))
    if container.creation is None:
        return ""
    return show_changes(container.creation, container, Logbook(container.creation, "pause").write)
