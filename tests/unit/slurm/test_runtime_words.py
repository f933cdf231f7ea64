"""A runtime that cannot start a container, and a program that exits with the same status."""

from pathlib import Path

import pytest

from actors.allocation.step import YOUNG, Step
from actors.process.effects import Effect, Later, Report, ToAnchor
from actors.slurm import runtime_words
from actors.slurm.slurm import Slurm
from proto.host.paths import ContainerPaths
from proto.life import events as e
from proto.life import talk
from tests.unit.creations import creation

SRUN = (
    "srun: launching StepId=7.0 on host node1, 1 tasks: 0\n"
    "srun: launch/slurm: _task_start: Node node1, 1 tasks started\n"
    "srun: launch/slurm: _task_finish: Received task exit notification for 1 task of StepId=7.0 (status=0x{:04x}).\n"
    "srun: error: node1: task 0: Exited with exit code {}\n"
)
ENDED = {code: SRUN.format(code << 8, code) for code in (1, 2, 7, 127)}
NO_MAP = "\x1b[1;31m2026-11-28T10:00:00.5Z: writing file `/proc/30319/uid_map`: Invalid argument\x1b[0m\n"


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (NO_MAP, "needs newuidmap and newgidmap (package uidmap)"),
        ("write file `/proc/8/gid_map`: Operation not permitted\n", "id_mapping = single"),
        ("newuidmap: uid range [1-65537) -> [100000-165536) not allowed\n", "/etc/subuid"),
        ("runc run failed: unable to start container process: unshare: operation not permitted", "user namespace"),
        ("cannot mkdir `/data`: Permission denied\n", "did not start the container: cannot mkdir `/data`"),
    ],
)
def test_what_it_said_becomes_a_sentence(said: str, part: str) -> None:
    found = runtime_words.sentence(ENDED[1] + said)
    assert part in found
    assert found.isprintable()
    assert "ermission denied" not in found, "podman would take it for a fault of the program"


def test_srun_alone_says_nothing_of_it() -> None:
    assert runtime_words.sentence(ENDED[1]) == ""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "box1"
    path.mkdir()
    return path


class Run:
    """A step that was launched; srun's words are in a file, as they are for the actor."""

    def __init__(self, directory: Path) -> None:
        container = creation(root=str(directory.parent), environ=(b"PATH=/usr/bin:/bin",))
        self.log = Path(ContainerPaths(container.root, container.id).step_log)
        self.step = Step(container, Slurm(container), str(self.log), lambda: "")

    def launch(self) -> None:
        self.step.launch(7, "/bundle", (b"/dev/.scrun-c00kie", b"/bin/sh", b"sh"), retry=True)

    def end(self, code: int) -> list[Effect]:
        self.log.write_text(ENDED[code])
        return self.step.exited(code << 8)


def ended(effects: list[Effect]) -> list[e.StepEnded]:
    return [effect.event for effect in effects if isinstance(effect, Report) and isinstance(effect.event, e.StepEnded)]


def probes(effects: list[Effect]) -> list[talk.Spawn]:
    found = [effect.message for effect in effects if isinstance(effect, ToAnchor)]
    return [message for message in found if isinstance(message, talk.Spawn) and message.name == "probe"]


@pytest.mark.parametrize("code", [1, 2])
def test_an_early_end_with_1_or_2_is_looked_into(directory: Path, code: int) -> None:
    run = Run(directory)
    run.launch()
    [probe] = probes(run.end(code))
    assert probe.argv[-3:] == (b"/dev/.scrun-c00kie", b"/dev/null/none", b"/dev/null/none")
    Path(probe.stdio["2"]).write_text(ENDED[127])
    [end] = ended(run.step.probed())
    assert (end.ending.kind, end.ending.exit_code) == ("exited", code)


def test_a_runtime_that_fails_again_is_what_failed(directory: Path) -> None:
    run = Run(directory)
    run.launch()
    [probe] = probes(run.end(1))
    Path(probe.stdio["2"]).write_text(ENDED[1] + NO_MAP)
    [end] = ended(run.step.probed())
    assert (end.ending.kind, end.ending.exit_code) == ("launch-failed", 125)
    assert "newuidmap" in end.ending.sentence


def test_a_program_that_has_run_for_a_while_is_believed(directory: Path) -> None:
    run = Run(directory)
    run.launch()
    run.log.write_text("".join(ENDED[1].splitlines(keepends=True)[:2]))
    assert Later("grown", YOUNG) in run.step.look()
    run.step.grown()
    effects = run.end(1)
    assert probes(effects) == []
    assert [end.ending.exit_code for end in ended(effects)] == [1]


def test_any_other_status_is_the_programs(directory: Path) -> None:
    run = Run(directory)
    run.launch()
    effects = run.end(7)
    assert probes(effects) == []
    assert [end.ending.exit_code for end in ended(effects)] == [7]
