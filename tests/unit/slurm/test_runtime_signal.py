"""Signals that only the node's runtime can bring to a program."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm import runtime_signal
from tests.unit.allocation.slurm_container import SlurmContainer

if TYPE_CHECKING:
    from pathlib import Path

CRUNS, GOS = {17, 28, 32, 33}, {17, 23, 28, 32, 33, 34}
ALL = set(range(1, 65)) - {9, 18, 19}
SHELLS = (("/bin/dash",), ("/bin/bash", "--posix"), ("/bin/busybox", "sh"))


@pytest.mark.parametrize(
    ("run", "others"),
    [
        ("exec env -u X crun --root=/r run -b %b ID", CRUNS),
        ("exec /usr/bin/crun run", CRUNS),
        ("exec runc run", GOS),
        ("crun run", ALL),
        ("env exec crun run", ALL),
        ("", ALL),
    ],
)
def test_scancel_carries_what_gets_to_the_program_so(tmp_path: Path, run: str, others: set[int]) -> None:
    if run:  # else this host has none
        (tmp_path / "oci.conf").write_text(f'RunTimeRun="{run}"\n')
    container = SlurmContainer(tmp_path)
    programs = {number: container.scheduler.signal("5.0", number).argv for number in range(1, 65)}
    assert {
        number for number, argv in programs.items() if not any(word.endswith(b"/scancel") for word in argv)
    } == others
    for number in others:
        argv = programs[number]
        assert b"--jobid=5" in argv
        assert argv[-1] == runtime_signal.on_node(container.creation.cookie, number)


def test_a_node_without_the_container_is_told_where_it_is_the_only_one() -> None:
    for nodes, status in ((1, 255), (2, 0)):
        script = runtime_signal.on_node("no-such-cookie", 28)
        words: list[str | bytes] = ["/bin/sh", "-c", script]
        environ = {"PATH": "/usr/bin:/bin", "SLURM_NNODES": str(nodes)}
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == status
        assert ("no OCI runtime stays beside the container" in done.stderr) is (nodes == 1)
