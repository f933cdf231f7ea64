"""A node that is not as it should be: its slurmd stops answering, or it lacks a program."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from actors.staging.overlay.kinds import takes_hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Cluster

CRUN = subprocess.run(["crun", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
ONE_OVERLAY = takes_hooks(CRUN)
"""Whether the nodes' runtime takes an overlay that a hook has put over its root; else there is one for each of them."""


class Node:
    """A node of the test cluster.

    If its slurmd is stopped, what Slurm asks of it is neither done nor refused; its steps' own daemons go on.
    """

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        match = re.search(r"^SlurmdPidFile=(.*)$", pathlib.Path(cluster.slurm_conf).read_text(), re.MULTILINE)
        assert match
        self._pid_file = pathlib.Path(match[1].replace("%n", name))

    def fall_silent(self) -> None:
        self._signal(signal.SIGSTOP)

    def answer(self) -> None:
        self._signal(signal.SIGCONT)

    @contextlib.contextmanager
    def without(self, program: str) -> Iterator[None]:
        """The node has an empty file in the place of a program; the rest of this machine has the program."""
        path = shutil.which(program)
        assert path
        enter = ["nsenter", f"--target={self._pid_file.read_text().strip()}", "--mount"]
        subprocess.run([*enter, "mount", "--bind", "/dev/null", path], check=True)
        try:
            yield
        finally:
            subprocess.run([*enter, "umount", path], check=True)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(int(self._pid_file.read_text()), number)
