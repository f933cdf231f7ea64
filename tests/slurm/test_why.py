"""``scrun why`` about containers that Slurm lets wait, or has ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from proto.life import ends
from tests.slurm.test_queue import WAITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.slurm.runtime import Runtime

SITE = "[scrun]\ncreate_wait = 0.2\n"


def why(runtime: Runtime, container_id: str) -> str:
    done = runtime("why", container_id)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_the_queue_its_reason_and_the_place_in_it(runtime: Runtime, filled: Callable[[], None]) -> None:
    del filled
    site = runtime.site(SITE)
    first = runtime.box("/bin/true", id="first", annotations=WAITS, environ=site)
    runtime.wait_until(lambda: "Slurm's reason is Resources: the nodes" in why(runtime, first.id), 40)
    assert why(runtime, first.id).startswith(f"Container first waits in Slurm's queue (job {first.job()}), for ")
    assert "before it" not in why(runtime, first.id)
    second = runtime.box("/bin/true", id="second", annotations=WAITS, environ=site)
    runtime.wait_until(lambda: "1 job before it" in why(runtime, second.id), 40)


def test_a_job_that_is_held(runtime: Runtime) -> None:
    site = runtime.site(SITE)
    box = runtime.box("/bin/true", annotations={"scrun.hold": "yes"}, environ=site)
    runtime.wait_until(lambda: "JobHeldUser: it is held by its user" in why(runtime, box.id), 40)
    assert f"scontrol release {box.job()} lets it go." in why(runtime, box.id)


@pytest.mark.parametrize("way", ["delete", "scancel"])
def test_the_end_of_one_that_is_deleted(runtime: Runtime, way: str) -> None:
    box = runtime.running("/bin/sh", "-c", "echo here; exec sleep 1000")
    assert box.read_line() == "here"
    job = box.job()
    if way == "scancel":
        runtime.runner(["scancel", str(job)])
        box.wait()
    runtime.ok("delete", "--force", box.id)
    said = why(runtime, box.id)
    ended = rf"Container {box.id} ended with exit code 1\d\d at [\d: -]+, \d+ s ago\. "
    assert re.match(ended + f"It was job {job} on ", said)
    assert "The reason (cancelled): " in said
    assert runtime.names() == []
    assert ends.names(str(runtime.root)) == [box.id]


def test_a_job_that_slurm_refuses(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true", annotations={"scrun.partition": "nowhere"})
    assert "there is no such partition" in runtime.fails("create", "--bundle", str(bundle), "refused")
    said = why(runtime, "refused")
    assert "ended with exit code 125 at " in said
    assert ", and its program never ran." in said
    assert "The reason (refused): there is no such partition" in said
