"""A node whose slurmd stops answering: what Slurm asks of it is neither done nor refused."""

from __future__ import annotations

import os
import pathlib
import re
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.conftest import Cluster


class Node:
    """A node of the test cluster; its steps' own daemons go on."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.name = name
        match = re.search(r"^SlurmdPidFile=(.*)$", pathlib.Path(cluster.slurm_conf).read_text(), re.MULTILINE)
        assert match
        self._pid_file = pathlib.Path(match[1].replace("%n", name))

    def fall_silent(self) -> None:
        self._signal(signal.SIGSTOP)

    def answer(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        os.kill(int(self._pid_file.read_text()), number)
