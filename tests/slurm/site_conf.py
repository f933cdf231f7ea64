"""A site's own oci.conf: that of the node ``bare1``, and of the host on which scrun is called."""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Runner
    from tests.slurm.runtime import Box, Runtime

NODE = "bare1"

# Slurm 22.05 knows no %U, and its own word for the same is what every version's shell makes of it.
NAME = "%n.%u.%j.%s.%t"
ROOT = "--rootless=true --root=/run/user/$(id -u)/"
TAIL = {"crun": f"--bundle %b {NAME}", "runc": f"{NAME} -b %b"}


def version(as_user: Runner) -> tuple[int, int]:
    """Slurm's."""
    year, month = as_user(["srun", "--version"]).stdout.split()[-1].split(".")[:2]
    return int(year), int(month)


def nodes_own() -> pathlib.Path:
    """The node's file, which every container's slurmstepd reads."""
    return pathlib.Path(os.environ["SLURM_CONF"]).parent.with_name("etc-bare") / "oci.conf"


def run_form(runtime: str) -> str:
    """The lines of Slurm's guide to containers for ``run``."""
    return common(runtime) + f'RunTimeRun="{runtime} {ROOT} run {TAIL[runtime]}"\n'


def create_form(runtime: str) -> str:
    """The guide's lines for ``create`` and ``start``."""
    create = f'RunTimeCreate="{runtime} {ROOT} create {TAIL[runtime]}"\n'
    return common(runtime) + create + f'RunTimeStart="{runtime} {ROOT} start {NAME}"\n'


def common(runtime: str) -> str:
    """What both forms have."""
    verbs = {"Query": f"state {NAME}", "Kill": f"kill -a {NAME}", "Delete": f"delete --force {NAME}"}
    return "".join(f'RunTime{key}="{runtime} {ROOT} {words}"\n' for key, words in verbs.items())


class Site:
    """scrun, where containers run on that node.

    Attributes:
        environ: of a call of scrun.
        options: annotations of a container.

    """

    def __init__(self, runtime: Runtime, text: str, here: str) -> None:
        self.runtime = runtime
        self.environ = runtime.site("")
        self.options = {"scrun.partition": "bare"}
        nodes_own().write_text(text)
        path = pathlib.Path(self.environ["SLURM_CONF"]).with_name("oci.conf")
        assert runtime.runner(["tee", str(path)], text + here).returncode == 0

    def doctor(self, *words: str) -> list[dict[str, Any]]:
        """The rows of the doctor there."""
        done = self.runtime("doctor", "--format=json", *words, environ=self.environ, timeout=120)
        return list(json.loads(done.stdout))

    def running(self, script: str, **more: Any) -> Box:
        """A container that runs a script."""
        box = self.box(script, **more)
        self.runtime.ok("start", box.id, environ=self.environ)
        return box

    def box(self, script: str, **more: Any) -> Box:
        """The same, and it is not started."""
        return self.runtime.box("/bin/sh", "-c", script, environ=self.environ, annotations=self.options, **more)


def site(runtime: Runtime, text: str, here: str = "") -> Iterator[Site]:
    """The site, while a test runs; ``here``: lines that its nodes do not have."""
    yield Site(runtime, text, here)
    nodes_own().unlink()
