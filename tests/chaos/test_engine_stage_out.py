"""An engine's user loses patience while changes are brought back: mildly, and by force.

For the engine the container still runs then, and its exit status is the program's in the end.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import signal
import tempfile
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CHECKOUT, wait_until

from .life import LIMIT, Life
from .ordeal import in_parallel
from .sabotage import CONF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.oci.podman import Podman

    from .conftest import Chaos


@pytest.fixture
def held() -> Iterator[pathlib.Path]:
    """Staging out, by the site's script, lasts until this directory has a file ``go``."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="scrun-held-"))
    directory.chmod(0o1777)
    text = (CHECKOUT / "examples/scrun.lua").read_text()
    text = text.replace('os.getenv("SCRUN_EXAMPLE_SCRATCH") or "/scratch/scrun"', f'"{directory}"')
    body, end, _ = text.rpartition("return slurm.SUCCESS")
    script = CONF.with_name("scrun.lua")
    script.write_text(body + HOLD.replace("@", str(directory)) + end)
    yield directory
    script.unlink()
    shutil.rmtree(directory)


HOLD = """
local stage_out = slurm_scrun_stage_out
function slurm_scrun_stage_out(id, ...)
  slurm.allocator_command("touch @/" .. id .. "; while [ ! -e @/go ]; do sleep 0.1; done")
  return stage_out(id, ...)
end
"""
MILD: dict[str, Callable[[Life], object]] = {
    "kill TERM": lambda life: life.engine("kill", "--signal", "TERM", life.name),
    "SIGTERM to the anchor": lambda life: os.kill(life.anchor, signal.SIGTERM),
    "SIGINT to the anchor": lambda life: os.kill(life.anchor, signal.SIGINT),
    "scancel": lambda life: life.engine.runner(["scancel", str(life.job)]),
}
"""What does not end a stage-out."""


def test_mildly_while_it_stages_out(engine: Podman, held: pathlib.Path, chaos: Chaos) -> None:
    """The container is still running for the engine; all that is staged out is brought to its end."""
    cases = [(way, Life(engine)) for way in chaos.some(list(MILD), 2)]
    for _, life in cases:
        life.detached("exit 7")
        wait_until((held / life.id).exists, LIMIT)
        life.anchor = int(engine.inspect(life.name, ".State.Pid"))
    for way, life in cases:
        MILD[way](life)
        assert life.running()
    (held / "go").touch()
    for _, life in cases:
        life.ends(7)
        chaos.figures["cases"] += 1


FORCE = {"kill": ("kill",), "stop": ("stop", "--time", "1"), "rm": ("rm", "--force")}


def test_by_force_while_it_stages_out(engine: Podman, held: pathlib.Path, chaos: Chaos) -> None:
    """The engine has the program's exit status before it loses patience; 20 s later staging out is cut off."""
    if not chaos.complete:
        pytest.skip("takes 20 s; with ROUNDS only")
    cases = [(way, Life(engine)) for way in FORCE]
    for _, life in cases:
        life.detached("exit 7")
        wait_until((held / life.id).exists, LIMIT)

    def run(case: tuple[str, Life]) -> None:
        way, life = case
        engine.ok(*FORCE[way], life.name)
        if way == "rm":
            life.gone()
        else:
            life.ends(7)
        chaos.figures["cases"] += 1

    in_parallel(cases, run)
