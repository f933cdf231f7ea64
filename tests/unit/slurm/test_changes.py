"""What of a job can be changed, and what is said when it cannot."""

from __future__ import annotations

import pytest

from actors.slurm import changes
from proto.errors import SettingsError
from proto.life.container import Container
from proto.value import replace
from scrun.commands.update import _memory_can_change
from tests.unit.creations import creation


def test_the_words_of_scontrol() -> None:
    wanted = {"time": "-5", "nice": "10", "mem": "100"}
    assert changes.words(7, wanted) == ["update", "JobId=7", "TimeLimit=-5", "Nice=10", "MinMemoryNode=100"]


@pytest.mark.parametrize("value", ["30", "+10", "-10", "2:00:00", "1-12", "-1", "UNLIMITED"])
def test_a_time(value: str) -> None:
    changes.check({"time": value})


@pytest.mark.parametrize("wrong", [{"time": "soon"}, {"time": "30 Nice=-5"}, {"nice": "1 TimeLimit=9"}, {"nice": ""}])
def test_what_scontrol_could_take_for_more_than_a_value_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        changes.check(wrong)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("Access/permission denied for job 7\n", "only administrators may do more"),
        (
            "Job is no longer pending execution for job 7\n",
            "time cannot be changed now; Slurm: Job is no",
        ),
        ("slurm_update error: Unable to contact slurm controller (connect failure)\n", "did not answer"),
        ("", "without a word"),
    ],
)
def test_what_slurm_refuses(said: str, words: str) -> None:
    assert words in changes.refusal({"time": "90"}, said).sentence


@pytest.mark.parametrize(
    ("job", "version", "can"),
    [("queued", (22, 5), True), ("granted", (22, 5), False), ("granted", (25, 11), False), ("granted", (26, 5), True)],
)
def test_when_memory_can_change_changed(job: str, version: tuple[int, int], can: bool) -> None:
    life = replace(Container(), creation=replace(creation(), slurm=version), job=job)
    assert _memory_can_change(life) is can
