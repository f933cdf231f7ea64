"""What ``scrun why`` says, for each phase and each kind of end."""

import typing

import pytest

from actors.slurm.scheduler import Outlook
from proto.life import state_file
from proto.life.ending import Ending, EndKind
from scrun.box.box import ABANDONED
from scrun.why.case import Case
from scrun.why.paragraph import ENDS, PHASES, SILENT, paragraph
from tests.unit.docs import reachable

NOW = 1_800_000_000.0


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> typing.Iterator[None]:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_every_phase_and_every_end_has_its_row() -> None:
    phases = {state_file.phase(container) for container in reachable.lives()}
    assert set(PHASES) == phases - {"stopped"} | {ABANDONED}
    assert set(ENDS) == set(typing.get_args(EndKind))


LATE = Ending("time-limit", 137, 9, "too long")
QUEUED = Case("x", "queued", NOW - 130, 29, reason="Resources")
QUEUED_SAYS = "Container x waits in Slurm's queue (job 29), for 2 min so far."


@pytest.mark.parametrize(
    ("case", "outlook", "words"),
    [
        (
            Case("x", "requested", NOW - 3),
            None,
            "Container x waits for Slurm's answer to its request for a job, for 3 s so far. If that lasts, scontrol",
        ),
        (QUEUED, None, f"{QUEUED_SAYS} Slurm's reason is Resources: the nodes that it needs are busy. Less of it"),
        (
            QUEUED,
            Outlook("PENDING", "Priority", 3, "2027-01-15T09:30:00"),
            (
                f"{QUEUED_SAYS} Slurm's reason is Priority: jobs of higher priority wait for the same nodes "
                "(3 jobs before it, start expected at 09:30). sprio"
            ),
        ),
        (
            QUEUED,
            Outlook("PENDING", "JobHeldUser", 1, "2027-01-16T09:30:00"),
            (
                f"{QUEUED_SAYS} Slurm's reason is JobHeldUser: it is held by its user "
                "(1 job before it, start expected at 2027-01-16 09:30). scontrol release 29 lets it go."
            ),
        ),
        (QUEUED, Outlook("PENDING", "", 2), f"{QUEUED_SAYS} Slurm says: 2 jobs before it."),
        (QUEUED, Outlook("PENDING"), QUEUED_SAYS),
        (
            Case("x", "staging in", NOW - 3, 29, "n1", progress="31 %"),
            None,
            (
                "Container x waits until its image and files are where the nodes see them (job 29), for 3 s so "
                "far. Copied so far: 31 %. An image"
            ),
        ),
        (
            Case("x", "launching", NOW - 90, 29, "n1"),
            Outlook("CONFIGURING"),
            "Container x is being started by Slurm on n1 (job 29), for 1 min so far. Its nodes are booting. If that",
        ),
        (Case("x", "running", NOW - 90061, 29, "n1"), None, "Container x runs on n1 (job 29), for 1 d 1 h so far."),
        (Case("x", "running", NOW - 1), None, "Container x runs, for 1 s so far."),
        (
            Case("x", "ending", NOW - 1, 29, ending=Ending("cancelled", 137, 0, "cancelled by you")),
            None,
            (
                "Container x is ending (job 29): what it has changed is brought back, and the job is given back, for "
                "1 s so far. The reason: cancelled by you. If that lasts"
            ),
        ),
        (Case("x", ABANDONED, NOW - 1, 29), None, "Container x has lost the process that stood for it (job 29), and"),
        (
            Case("f" * 64, "stopped", NOW - 60, 29, "n1", ran=True, ending=LATE),
            None,
            (
                "Container ffffffffffff ended with exit code 137 at 2027-01-15 07:59:00, 1 min ago. It was job 29 on "
                "n1. The reason (time-limit): too long. Ask for more time with scrun.time;"
            ),
        ),
        (
            Case("x", "stopped", NOW, 29, ending=Ending("refused", 125, 0, "Slurm refused it.")),
            None,
            (
                "Container x ended with exit code 125 at 2027-01-15 08:00:00, 0 s ago, and its program never ran. It "
                "was job 29. The reason (refused): Slurm refused it. Change what it asked for"
            ),
        ),
        (
            Case("x", "stopped", NOW, ran=True, ending=Ending("cancelled", 137, 9, "cancelled by delete")),
            None,
            (
                "Container x ended with exit code 137 at 2027-01-15 08:00:00, 0 s ago. The reason (cancelled): "
                "cancelled by delete."
            ),
        ),
        (
            Case("x", "stopped", NOW, ran=True, ending=Ending("exited", 0)),
            None,
            (
                "Container x ended with exit code 0 at 2027-01-15 08:00:00, 0 s ago. The reason (exited): the program "
                "ended by itself."
            ),
        ),
        (
            Case("x", "stopped", NOW, 29, ran=True, ending=Ending("lost", 137, 9, "gone")),
            None,
            (
                "Container x ended with exit code 137 at 2027-01-15 08:00:00, 0 s ago. It was job 29. The reason "
                "(lost): gone. sacct -j 29 may know more;"
            ),
        ),
    ],
)
def test_the_paragraph(case: Case, outlook: Outlook | None, words: str) -> None:
    said = paragraph(case, NOW, outlook)
    assert said == words or (said.startswith(words) and not words.endswith("."))


def test_it_says_when_slurm_says_nothing() -> None:
    assert paragraph(QUEUED, NOW, None, silent=True) == f"{paragraph(QUEUED, NOW)} {SILENT}"
