"""docs/variables.md against the manual's list of output variables, and against what the code sets."""

from __future__ import annotations

from actors.slurm.job_environment import JobFacts, program_environment, scrun_environment
from proto.host.paths import ContainerPaths
from tests.unit.creations import creation
from tests.unit.docs import markdown

DOCUMENT = "docs/variables.md"
OURS = markdown.table(DOCUMENT, "Of the container", "variable")
SLURMS = markdown.table(DOCUMENT, "Of the job and its step", "variable")
PER_TASK = {"SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID", "SLURMD_NODENAME"}
"""Not in the manual of scrun, but in srun(1): no program of several tasks can do without."""
SALLOCS = {"SLURM_SUBMIT_DIR"}
"""Only in salloc(1)."""


def names(table: markdown.Table) -> list[str]:
    return [name for cell in table.column("variable") for name in markdown.spans(cell)]


def test_every_variable_of_the_manual_has_its_row_and_no_other() -> None:
    path = markdown.CHECKOUT / "tests/unit/slurm/releases/scrun-variables.txt"
    manual = [line for line in path.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    assert len(manual) == 67
    assert sorted(names(OURS) + names(SLURMS)) == sorted([*manual, *PER_TASK, *SALLOCS])


def test_the_containers_are_what_scrun_tells() -> None:
    container = creation(annotations={"x": "y"}, log__path="/log", log__format="json")
    told = scrun_environment(container, ContainerPaths(container.root, container.id), 1)
    found = [entry.partition(b"=")[0].decode().replace("ANNOTATION_x", "ANNOTATION_*") for entry in told]
    assert sorted(found) == sorted(names(OURS))


def test_what_scrun_itself_says_of_job_and_task() -> None:
    alone = program_environment(JobFacts(5, "n1"), (), "box", alone=True)
    by_scrun = {name for variables, who in SLURMS.rows if who.startswith("scrun") for name in markdown.spans(variables)}
    assert by_scrun <= {entry.partition("=")[0] for entry in alone}
    assert by_scrun == PER_TASK | {"SLURM_CONTAINER_ID"}
