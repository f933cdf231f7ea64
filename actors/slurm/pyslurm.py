"""Scheduler ``pyslurm``: questions and cancellation through pyslurm, all else through Slurm's commands.

pyslurm can neither allocate without a batch script nor launch a step, and a step's signals it loses: with 26.05
``JobStep.send_signal`` returns without an error and nothing arrives. Its calls hold the GIL for up to the message
timeout and its import ends the process where there is no slurm.conf, so each call runs in a process of its own:
``pyslurm_worker``, which prints what squeue would print, so the readers are the same.
"""

import os
import sys
from collections.abc import Iterable

from actors.process.command import Command
from proto.errors import SettingsError

from .option_table import Version
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
        prefix = (os.fsencode(sys.executable), b"-IS", os.fsencode(WORKER))
        paths = os.pathsep.join(path for path in sys.path if path)
        argv = (*self._client.prefix(), *prefix, os.fsencode(paths), *(os.fsencode(text) for text in words))
        return self._client.command(argv)


def check(slurm: Version, site_packages: Iterable[str]) -> None:
    """See whether a pyslurm is there that fits, without importing it.

    It fits when the metadata of the installed release has the major version of Slurm (pyslurm 25.11.x is built for
    Slurm 25.11 and refuses every other one).

    Args:
        slurm: version of Slurm, (0, 0) if unknown.
        site_packages: directories in which distributions are installed.

    Raises:
        SettingsError: none does.

    """
    installed = installed_version(site_packages)
    if installed == slurm != (0, 0):
        return
    have = f"pyslurm {installed[0]}.{installed[1]}" if installed else "no pyslurm"
    raise SettingsError(f"scheduler pyslurm: {have} is installed, and Slurm is {slurm[0]}.{slurm[1]:02}")


def installed_version(site_packages: Iterable[str]) -> Version | None:
    """Major version of the installed pyslurm by the name of its metadata directory, or ``None``."""
    for directory in site_packages:
        try:
            names = os.listdir(directory)
        except OSError:
            continue
        for name in names:
            low = name.lower()
            if low.startswith("pyslurm-") and low.endswith((".dist-info", ".egg-info")):
                parts = low[len("pyslurm-") :].split(".")
                if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit():
                    return int(parts[0]), int(parts[1])
    return None
