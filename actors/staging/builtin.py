"""The stager that is used when the site has no scrun.lua.

A staged container is ``STAGING/ID~COOKIE/`` with ``config.json``, ``rootfs`` (a copy, or a link to where it is),
``mounts/`` and the entry file. It is made under another name and renamed when it is complete, and renamed again
before it is removed. So stage-in and stage-out may be killed at any instant and run again from the start, and
neither half a copy nor half a removal is ever taken for the user's changes.
"""

from typing import Any

from proto.errors import StagingError
from proto.life.creation import Creation

from . import lent, mounts
from .bring_back import bring_back, forget_unfit, wants_sync
from .bundle import Staged
from .commands import Commands
from .container_ids import CallerMaps
from .directory import container_directory, discard
from .loglevel import Log
from .node_bundle import NodeBundle


def stage_in(
    creation: Creation,
    config: dict[str, Any],
    run: Commands,
    log: Log,
    caller: CallerMaps | None = None,
    nodes: str = "",
    job_id: int = 0,
) -> Staged:
    """Bring the container to where the nodes see it.

    Raises:
        StagingError: it could not be done; what was begun is removed by ``stage_out``.

    """
    return NodeBundle(creation, config, run, log, caller, (job_id, nodes)).make()


def stage_out(creation: Creation, run: Commands, log: Log, nodes: str = "") -> None:
    """Bring changes back where that is wanted, and remove what was staged; what the job's nodes did is learnt from.

    Raises:
        StagingError: the changes could not be brought back, or something could not be removed.

    """
    home = container_directory(creation)
    failure = ""
    if staged := lent.read(home):
        forget_unfit(creation, home, nodes)
        failure = bring_back(creation, home, staged, run, log, wanted=wants_sync(creation))
    failures = [failure, mounts.bring_back(home, log)]  # volumes outlive a container, also one of --rm
    discard(creation)
    if any(failures):
        raise StagingError("; ".join(filter(None, failures)))
