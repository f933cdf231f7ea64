"""``scrun update``: what Slurm lets a user change of the job, and a sentence for the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from actors.slurm import changes
from tests.slurm import site_conf

if TYPE_CHECKING:
    from tests.slurm.runtime import Box, Runtime


def field(runtime: Runtime, box: Box, name: str) -> str:
    """What Slurm says of a container's job."""
    return runtime.runner(["squeue", "-h", "-j", str(box.job()), "-O", f"{name}:|"]).stdout.strip().rstrip("|")


def test_the_time_limit_of_a_job_that_runs(runtime: Runtime) -> None:
    box = runtime.running("/bin/sleep", "600", annotations={"scrun.time": "60"})
    assert field(runtime, box, "TimeLimit") == "1:00:00"
    runtime.ok("update", "--time", "30", "--nice", "5", box.id)
    assert field(runtime, box, "TimeLimit") == "30:00"
    runtime.ok("update", "--time=-10", box.id)
    assert field(runtime, box, "TimeLimit") == "20:00"
    assert "only administrators may do more" in runtime.fails("update", "--time", "+10", box.id)
    assert field(runtime, box, "TimeLimit") == "20:00"
    runtime.ok("kill", box.id, "KILL")
    box.wait()
    assert "there is no job any more" in runtime.fails("update", "--time", "10", box.id)


def test_all_or_nothing(runtime: Runtime) -> None:
    """What cannot be is refused before Slurm is asked for what can."""
    box = runtime.running("/bin/sleep", "600", annotations={"scrun.time": "60"})
    fixed, late = "update cannot change this of a Slurm job", site_conf.version(runtime.runner) >= changes.MEMORY
    assert fixed in runtime.fails("update", "--time=30", "--cpu-quota=1000", box.id)
    both = "is changed by itself" if late else fixed
    assert both in runtime.fails("update", "--time=30", "--memory=1g", box.id)
    # (26.05: the cluster has no PrologFlags=contain)
    assert ("requires extern step" if late else fixed) in runtime.fails("update", "--memory=1g", box.id)
    assert "is no time" in runtime.fails("update", "--time", "30 Partition=debug", box.id)
    assert field(runtime, box, "TimeLimit") == "1:00:00"


def test_a_job_that_waits(runtime: Runtime) -> None:
    box = runtime.box("/bin/true", annotations={"scrun.begin": "tomorrow", "scrun.time": "10"})
    resources = json.dumps({"memory": {"limit": 100 << 20, "swap": 200 << 20}})
    done = runtime.runner(runtime.words("update", "--resources=-", box.id), resources)
    assert (done.returncode, done.stderr) == (0, "")
    runtime.ok("update", "--time=+10", box.id)
    assert (field(runtime, box, "MinMemory"), field(runtime, box, "TimeLimit")) == ("100M", "20:00")
