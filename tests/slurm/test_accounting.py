"""The queries of docs/operations.md, which lead from a container to its job and back, against slurmdbd."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.docs import markdown

if TYPE_CHECKING:
    from tests.conftest import Runner
    from tests.slurm.runtime import Box, Runtime

SECTION = markdown.text("docs/operations.md").partition("## The job in the books\n")[2].partition("\n## ")[0]
QUERIES = [line.partition("  #")[0] for line in SECTION.partition("```sh\n")[2].partition("```")[0].splitlines()]
AT_THE_END = [query for query in QUERIES if "Comment" in query]
"""slurmdbd has the comment when the job is over."""
LASTING = [query for query in QUERIES if query.startswith(("sacct", "scrun why"))]
"""Those that tell of what is over."""


@pytest.fixture(autouse=True)
def accounting(as_user: Runner) -> None:
    if as_user(["sacctmgr", "-n", "show", "cluster"]).returncode != 0:
        pytest.skip("this cluster has no slurmdbd: make cluster-up ACCOUNTING=1")


@pytest.fixture
def box(runtime: Runtime) -> Box:
    """A container that runs, and has an id that no other has."""
    return runtime.running("/bin/sleep", "600", id=f"box.{runtime.directory.name}")


def finds(runtime: Runtime, box: Box, job: int, query: str) -> bool:
    """Whether a query about the container names the job, or one about the job the container."""
    asked = re.sub(r"\bJOB\b", str(job), re.sub(r"\b(NAME|ID)\b", box.id, query))
    own = asked.replace("scrun ", f"scrun --root {runtime.root} ", 1) if asked.startswith("scrun") else asked
    done = runtime.runner(["/bin/sh", "-c", own])
    assert (done.returncode, done.stderr) in {(0, ""), (1, "")}, query
    return (box.id if "JOB" in query else str(job)) in done.stdout


def test_a_container_that_runs(runtime: Runtime, box: Box) -> None:
    job = box.job()
    for query in (query for query in QUERIES if query not in AT_THE_END):
        runtime.wait_until(lambda query=query: finds(runtime, box, job, query), what=query)


def test_a_container_that_is_over_and_deleted(runtime: Runtime, box: Box) -> None:
    job = box.job()
    runtime.ok("delete", "--force", box.id)
    box.wait()
    for query in LASTING:
        runtime.wait_until(lambda query=query: finds(runtime, box, job, query), what=query)


def test_what_the_user_asks_for_is_in_the_books_and_the_cookie_stays(runtime: Runtime) -> None:
    name = f"asked.{runtime.directory.name}"
    annotations = {"scrun.job-name": name, "scrun.comment": "for Ann, twice", "io.kubernetes.cri.image-name": "x/y:1"}
    box = runtime.running("/bin/true", annotations=annotations)
    assert box.wait() == 0
    job = box.job()
    expected = (
        rf"{re.escape(name)}\|scrun:[0-9a-f]{{16}} scrun-at:\S+ scrun-host:\S+ scrun-id:{box.id} scrun-image:x/y:1 "
        "for Ann, twice\n"
    )
    words = ["sacct", "-j", str(job), "-X", "-n", "-P", "-o", "JobName,Comment"]
    runtime.wait_until(lambda: re.fullmatch(expected, runtime.runner(words).stdout), what=expected)


def test_who_cancelled_a_job(runtime: Runtime, as_root: Runner) -> None:
    box = runtime.running("/bin/sleep", "600")
    as_root(["scancel", str(box.job())])
    assert box.wait() != 0
    runtime.wait_until(lambda: "Slurm's books say that user root did that." in runtime("why", box.id).stdout)
