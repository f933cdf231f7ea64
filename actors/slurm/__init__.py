"""Schedulers: who runs the container, behind one interface (``scheduler.Scheduler``)."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proto.life.creation import Creation

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
