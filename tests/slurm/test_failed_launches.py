"""Containers that no node can start: why is said, with what Slurm has said of it."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import pytest

from tests.slurm.test_errors import refused
from tests.slurm.test_oci_conf_keys import program

if TYPE_CHECKING:
    from tests.slurm.runtime import Runtime


def site(
    runtime: Runtime, cluster: Any, *, slurm_conf: str = "", oci_conf: tuple[str, str] = ("", "")
) -> dict[str, str]:
    """A site with another line in slurm.conf, and one text in place of another in oci.conf."""
    there = pathlib.Path(cluster.slurm_conf)
    made = runtime.site("", f"{there.read_text()}{slurm_conf}\n")
    text = there.with_name("oci.conf").read_text()
    assert oci_conf[0] in text
    runtime.runner(["tee", made["SLURM_CONF"].replace("slurm.conf", "oci.conf")], text.replace(*oci_conf))
    return made


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("RunTimeKill", "#", "oci.conf lacks RunTimeKill, so no node runs a container"),
        ("--bundle %b", "--bundle %b%X", "oci.conf has %X in RunTimeRun, which is no pattern of Slurm's"),
    ],
)
def test_an_oci_conf_that_no_node_can_use(runtime: Runtime, cluster: Any, old: str, new: str, words: str) -> None:
    assert words in refused(runtime, environ=site(runtime, cluster, oci_conf=(old, new)))


@pytest.mark.slice
@pytest.mark.parametrize(
    ("annotations", "line", "words"),
    [
        ({"scrun.mpi": "nosuch"}, "", "Invalid MPI type 'nosuch'"),
        ({"scrun.cpu-bind": "nosuch"}, "", 'unrecognized --cpu-bind argument "nosuch"'),
        ({}, "SwitchType=switch/nosuch", "switch/nosuch"),
    ],
)
def test_what_srun_has_said_is_in_the_sentence(
    runtime: Runtime, cluster: Any, annotations: dict[str, str], line: str, words: str
) -> None:
    box = runtime.box("/bin/true", annotations=annotations, environ=site(runtime, cluster, slurm_conf=line))
    sentence = runtime.fails("start", box.id)
    assert words in sentence
    assert box.wait() == 125
    assert words in box.annotations()["scrun.end-reason"]


def test_a_launcher_that_says_0_and_has_started_nothing(runtime: Runtime, cluster: Any) -> None:
    """As srun of 26.05 may, before 26.05.2; with ``--verbose`` it is never silent."""
    says = "case $1 in --version) exec REAL --version ;; esac; echo 'srun: Waiting for resource configuration' >&2"
    program(runtime, "srun", f"#!/bin/sh\n{says}\n", "srun")
    there = site(runtime, cluster, oci_conf=("RunTimeQuery=", f"SrunPath={runtime.directory}/srun\nRunTimeQuery="))
    box = runtime.box("/bin/true", environ=there)
    assert "the job ended before the container had started" in runtime.fails("start", box.id)
    assert box.wait() == 125
    assert box.annotations()["scrun.end"] == "launch-failed"
