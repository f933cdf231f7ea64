"""Scheduler ``pyslurm``: questions and cancellation through pyslurm, all else through Slurm's commands.

pyslurm can neither allocate without a batch script nor launch a step, and a step's signals it loses: with 26.05
``JobStep.send_signal`` returns without an error and nothing arrives. Its calls hold the GIL for up to the message
timeout and its import ends the process where there is no slurm.conf, so each call runs in a process of its own:
``pyslurm_worker``, which prints what squeue would print, so the readers are the same.
"""

import os
import sys
from collections.abc import Iterable, Sequence

from actors.process.command import Command
from proto.errors import SettingsError

from .commands import first_words
from .pyslurm_worker import LOADED
from .slurm import Slurm

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pyslurm_worker.py")


class PySlurm(Slurm):
    """Slurm's commands, except where pyslurm has a call."""

    def _inquiry(self, job_id: int) -> Command:
        """``Job.load``, printed as squeue does."""
        return self._worker("inquire", str(job_id))

    def _search(self) -> Command:
        """``Jobs.load``, filtered by user."""
        return self._worker("find", str(self._creation.caller.uid))

    def cancel(self, job_id: int) -> Command | None:
        """``Job.cancel``."""
        if self._creation.job_id or not job_id:
            return None
        return self._worker("cancel", str(job_id))

    def _worker(self, *words: str) -> Command:
        argv = (os.fsencode(word) for word in worker(sys.path, *words))
        return self._client.command((*self._client.prefix(), *argv))


def worker(paths: Iterable[str], *words: str) -> tuple[str, ...]:
    """The command of one call; ``paths`` is where pyslurm is looked for."""
    return (sys.executable, "-IS", WORKER, os.pathsep.join(path for path in paths if path), *words)


def check(environ: Sequence[bytes], site_packages: Iterable[str]) -> None:
    """See whether there is a pyslurm, and whether it loads Slurm's library: 50 ms.

    Its version says little: 25.11 can be built for Slurm 26.05, and one that was built for a Slurm that has been
    replaced since has the version that it had.

    Args:
        environ: the caller's, with ``SLURM_CONF``.
        site_packages: directories in which it may be.

    Raises:
        SettingsError: it cannot be used.

    """
    said = first_words(tuple(map(os.fsencode, worker(site_packages, "load"))), environ).strip()
    if said != LOADED:
        why = said.removeprefix("error: ").partition("\n")[0] or "it ends, or hangs, while it is loaded"
        raise SettingsError(f'scheduler pyslurm cannot be used: {why}; "slurm" uses Slurm\'s commands instead')
