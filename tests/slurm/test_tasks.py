"""Containers of several tasks: how many there are, what they read and write, and which exit code the container has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.slurm.site_conf import version

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime

TWO = {"scrun.nodes": "2"}
FIRST_FAILS = 'case $SLURM_PROCID in 0) exit 3;; esac; while [ -z "$there" ]; do sleep 0.1; done'
EACH_FAILS = "exit $((5 - $SLURM_PROCID))"


def test_labels(runtime: Runtime) -> None:
    box = runtime.running("/bin/sh", "-c", "echo a; echo b >&2", annotations=TWO | {"scrun.label": ""})
    assert box.wait() == 0
    assert sorted(box.read().splitlines()) == ["0: a", "1: a"]
    assert sorted(box.read("err").splitlines()) == ["0: b", "1: b"]


@pytest.mark.parametrize(
    ("who", "lines"), [("", ["0 x", "1 x"]), ("all", ["0 x", "1 x"]), ("1", ["1 x"]), ("none", [])]
)
def test_who_gets_standard_input(runtime: Runtime, who: str, lines: list[str]) -> None:
    script = "while read -r line; do echo $SLURM_PROCID $line; done"
    box = runtime.box("/bin/sh", "-c", script, stdin=True, annotations=TWO | {"scrun.input": who})
    runtime.ok("start", box.id)
    box.write(b"x\n")
    box.close_stdin()
    assert box.wait() == 0
    assert sorted(box.read().splitlines()) == lines


@pytest.mark.parametrize(
    ("script", "kill", "code"),
    [
        (FIRST_FAILS, "yes", 3),
        (EACH_FAILS, "no", 5),
        ("exit $SLURM_PROCID", "no", 1),
    ],
)
def test_the_worst_end_is_the_container_s(runtime: Runtime, script: str, kill: str, code: int) -> None:
    box = runtime.running("/bin/sh", "-c", script, annotations=TWO | {"scrun.kill-on-bad-exit": kill})
    assert box.wait() == code


def test_a_terminal_is_one_task_s(runtime: Runtime) -> None:
    bundle = runtime.bundle("/bin/true", terminal=True, annotations=TWO)
    sentence = runtime.fails("create", "--console-socket=/tmp/none", "--bundle", str(bundle), "wide")
    assert "a terminal (-t) is that of one task" in sentence
    assert runtime.left("wide") == []


def test_more_tasks_than_nodes(runtime: Runtime) -> None:
    annotations = {"scrun.ntasks": "3", "scrun.nodes": "1"}
    if version(runtime.runner) < (23, 2):
        sentence = runtime.fails(
            "create", "--bundle", str(runtime.bundle("/bin/true", annotations=annotations)), "three"
        )
        assert "runs one task of a container on each node, and 3 are asked for on 1" in sentence
        return
    box = runtime.running("/bin/sh", "-c", "echo $SLURM_PROCID", annotations=annotations)
    assert (box.wait(), sorted(box.read().split())) == (0, ["0", "1", "2"])
