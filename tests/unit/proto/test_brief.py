"""What ``exec`` reads of a journal by hand is what the life cycle makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proto.errors import InternalError
from proto.life import brief, journal, lifecycle
from proto.life import events as e
from proto.life.ending import Ending
from tests.unit.creations import creation

if TYPE_CHECKING:
    import pathlib

    from proto.wire.registry import Message

LIFE: tuple[Message, ...] = (
    e.CreateBegun(
        creation(
            environ=(b"A=\xff", b"LONG=" + b"x" * (2 << 20)),
            settings__job={"clusters": "two"},
            settings__scrun__slurm_conf="/conf",
            settings__scrun__runtime="runc",
            slurm=(24, 11),
        )
    ),
    e.JobRequested("c00kie"),
    e.JobQueued(7, "Priority"),
    e.JobGranted(7, "node[1-2]"),
    e.StagedIn("/bundle", "/bundle/rootfs", (b"sleep",)),
    e.CreateAnswered(),
    e.StartRequested("r"),
    e.LaunchRequested(),
    e.StepStarted("7.0", "node1,node2"),
    e.SignalRequested(1, 10, "s"),
    e.SignalDelivered(1),
    e.StepEnded(Ending("exited", 0, 0, "")),
    e.OutputDrained(0, 0, 0),
)


def written(path: pathlib.Path, events: tuple[Message, ...]) -> str:
    kept = journal.Journal(str(path))
    for event in events:
        kept.append(event)
    kept.close()
    return str(path)


@pytest.mark.parametrize("count", range(1, len(LIFE) + 1))
def test_it_is_what_the_life_cycle_says(tmp_path: pathlib.Path, count: int) -> None:
    path = written(tmp_path / "journal", LIFE[:count])
    container = lifecycle.replay(journal.read(path))
    made = container.creation
    assert made is not None
    settings, caller = made.settings, made.caller
    found = brief.read(path, "box1")
    assert found.step == {"launching": "none"}.get(container.step, container.step)
    assert (found.job_id, found.nodes, found.bundle) == (
        (container.job_id, container.nodes, container.bundle) if container.job == "granted" else (0, "", "")
    )
    assert (found.id, found.root, found.rootfs, found.cookie, found.environ, found.slurm) == (
        made.id, made.root, made.rootfs, made.cookie, made.environ, made.slurm,
    )  # fmt: skip
    assert (found.uid, found.gid, found.namespaced) == (caller.uid, caller.gid, caller.namespaced)
    assert (found.scheduler, found.slurm_conf, found.runtime, found.clusters) == (
        settings.scrun.scheduler, settings.scrun.slurm_conf, settings.scrun.runtime, settings.job["clusters"],
    )  # fmt: skip


@pytest.mark.parametrize("data", [b"", b"nonsense", None])
def test_a_journal_that_says_nothing(tmp_path: pathlib.Path, data: bytes | None) -> None:
    path = tmp_path / "journal"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InternalError, match="the journal of container box1 cannot be read"):
        brief.read(str(path), "box1")


def test_a_record_of_another_form(tmp_path: pathlib.Path) -> None:
    path = written(tmp_path / "journal", (e.JobRequested("c00kie"),))
    with pytest.raises(InternalError, match="cannot be read"):
        brief.read(path, "box1")
