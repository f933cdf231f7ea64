"""On which stacks a row has its difference, where that is not on all."""

from __future__ import annotations

import functools
import pathlib
import re
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONTROL_GROUPS = pathlib.Path("/sys/fs/cgroup")


@functools.cache
def version(program: str) -> tuple[int, ...]:
    """What a program says of its version first."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)+", said)
    assert found, said
    return tuple(int(number) for number in found[0].split("."))


def has_controller(name: str) -> bool:
    """Whether this machine has a control group's controller, of version 1 or 2."""
    second = CONTROL_GROUPS / "cgroup.controllers"
    return (CONTROL_GROUPS / name).is_dir() or (second.is_file() and name in second.read_text().split())


STACKS: Mapping[str, Callable[[], bool]] = {
    "crun before 1.8.2": lambda: version("crun") < (1, 8, 2),
    "crun before 1.28": lambda: version("crun") < (1, 28),
    "Slurm 24.11": lambda: version("srun")[:2] == (24, 11),
    "docker since 28": lambda: version("dockerd") >= (28,),
    "a host that counts processes": lambda: has_controller("pids"),
}
"""What a row may name in ``where``: elsewhere its two sides agree; and in ``without``."""
