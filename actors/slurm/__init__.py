"""Schedulers: who runs the container, behind one interface (``scheduler.Scheduler``)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from proto.life.brief import Brief
    from proto.life.creation import Creation

    from .enter import Entering
    from .scheduler import Scheduler


def scheduler_for(creation: "Creation") -> "Scheduler":
    """The scheduler that ``create`` decided on."""
    if creation.settings.scrun.scheduler == "local":
        from .local import Local

        return Local(creation)
    if creation.settings.scrun.scheduler == "pyslurm":
        from .pyslurm import PySlurm

        return PySlurm(creation)
    from .slurm import Slurm

    return Slurm(creation)


def entering_for(brief: "Brief", process: bytes, *, terminal: bool, null_input: bool) -> "Entering":
    """How another program gets into a container, on the first of its nodes.

    Standard streams are as those of ``Scheduler.step``.

    Args:
        brief: the container.
        process: JSON of a process object.
        terminal: whether its streams are a terminal.
        null_input: whether its standard input is /dev/null.

    Raises:
        SchedulerError: a command is not installed.

    """
    if brief.scheduler == "local":
        from . import local

        return local.entering(brief, process, terminal=terminal)
    from .entering import entering

    return entering(brief, process, terminal=terminal, null_input=null_input)
