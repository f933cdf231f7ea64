"""A job has the name of the engine's container, and its comment tells which container of which image that is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.oci.podman import Podman


def books(engine: Podman, job: int) -> tuple[str, str]:
    """Name and comment of a job, and of its steps the name."""
    said = engine.runner(["squeue", "-h", "-j", str(job), "-o", "%j|%k"]).stdout.strip()
    name, _, comment = said.partition("|")
    return name, comment


@pytest.mark.parametrize("options", [(), ("--rm",)], ids=["lasting", "rm"])
def test_the_engines_name_and_image_are_in_the_books(engine: Podman, options: tuple[str, ...]) -> None:
    name = engine.detached(*options, "busybox", "sleep", "600")
    container = engine.id(name)
    job = engine.job(container)
    told, comment = books(engine, job)
    assert told == name
    assert f" scrun-id:{container} scrun-name:{name} scrun-image:" in comment
    assert re.search(r"scrun-image:(localhost/)?busybox(:latest)?$", comment)
    steps = engine.runner(["squeue", "-h", "-s", "-j", str(job), "-o", "%j"]).stdout.split()
    assert name in steps


def test_a_name_that_is_asked_for_is_the_jobs(engine: Podman) -> None:
    name = engine.detached("-e", "SCRUN_JOB_NAME=mine", "-e", "SCRUN_COMMENT=for Ann", "busybox", "sleep", "600")
    told, comment = books(engine, engine.job(engine.id(name)))
    assert told == "mine"
    assert f" scrun-name:{name} " in comment
    assert comment.endswith(" for Ann")
