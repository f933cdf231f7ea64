"""What the doctor makes of oci.conf."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from actors.slurm.oci_conf import parse
from scrun.doctor import nodes

if TYPE_CHECKING:
    from pathlib import Path

    from scrun.doctor.finding import Finding

GOOD = "\n".join(nodes.EXAMPLE)
PLAIN = GOOD.replace("env -u NOTIFY_SOCKET ", "")


def judge(text: str | None, *there: str, systemd: bool = False) -> Finding:
    places = {"crun": "/usr/bin/crun"}
    return nodes.judge_oci_conf(
        "/e/oci.conf",
        text,
        lambda name: places.get(name, ""),
        lambda path: path in there,
        systemd=systemd,
        version=(22, 5),
    )


def test_a_good_one() -> None:
    finding = judge(GOOD)
    assert finding.level == "ok"
    assert "crun" in finding.sentence


def test_the_lines_to_add_are_good_ones() -> None:
    finding = judge(None)
    assert (finding.level, finding.place) == ("warning", "/e/oci.conf")
    assert judge("\n".join(finding.lines), systemd=True).level == "ok"


@pytest.mark.parametrize("key", ["RunTimeQuery", "RunTimeKill", "RunTimeDelete", "RunTimeRun"])
def test_a_line_that_is_missing(key: str) -> None:
    finding = judge("\n".join(line for line in nodes.EXAMPLE if not line.startswith(key)))
    assert (finding.level, finding.sentence) == ("fault", f"/e/oci.conf lacks {key}")
    assert [line.partition("=")[0] for line in finding.lines] == [key]


@pytest.mark.parametrize(
    ("old", "new", "level", "words"),
    [
        ("exec crun", "crun", "warning", "should begin with exec"),
        ("--bundle %b", "%r", "fault", "/e/oci.conf gives crun a root file system"),
        ("--bundle %b", "", "fault", "of /e/oci.conf does not name the bundle (%b)"),
        ("RunTimeRun", "IgnoreFileConfigJson=yes\nRunTimeRun", "fault", "which keeps Slurm from telling"),
        ("exec crun", "exec /opt/crun", "warning", "/opt/crun, which is not on this host"),
        ("exec crun", "exec youki", "warning", "youki, which is not on this host"),
        ("exec crun", "exec /usr/local/bin/crun", "ok", "/usr/local/bin/crun"),
        ("exec crun", "exec env A=1 crun", "ok", "runs crun"),
        ("RunTimeRun", "RunTimeCreate", "fault", "/e/oci.conf has RunTimeCreate and RunTimeStart, which start no"),
        ("RunTimeQuery", "RUNTIMEQUERY", "ok", "crun"),
        ("%u", "%U", "fault", "has %U in RunTimeQuery, which Slurm 22.05 does not know"),
        ("RunTimeQuery=", "#RunTimeQuery=", "fault", "lacks RunTimeQuery"),
        ("exec crun", "exec 'crun", "warning", "'crun, which is not"),
    ],
)
def test_lines(old: str, new: str, level: str, words: str) -> None:
    finding = judge(PLAIN.replace(old, new), "/usr/local/bin/crun")
    assert finding.level == level, finding
    assert words in finding.sentence


@pytest.mark.parametrize(
    "text", [PLAIN + "\nDisableHooks=poststart,poststop", PLAIN.replace("crun", "/opt/singularity")]
)
def test_what_is_lost_without_hooks_is_said(text: str) -> None:
    finding = judge(text, "/opt/singularity")
    assert finding.level == "warning"
    assert "standard output a pipe" in finding.sentence


def test_a_line_becomes_the_runtime_which_hears_of_no_socket(tmp_path: Path) -> None:
    crun = tmp_path / "crun"
    crun.write_text('#!/bin/sh\necho "$$ ${NOTIFY_SOCKET-none} $1"\n')
    crun.chmod(0o755)
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "NOTIFY_SOCKET": "/run/systemd/notify"}
    for value in parse(GOOD).runtime_lines.values():
        with subprocess.Popen(["/bin/sh", "-c", value], env=environ, stdout=subprocess.PIPE, text=True) as process:
            said, _ = process.communicate()
        assert said == f"{process.pid} none --rootless=true\n"


def test_what_lacks_exec_is_given_with_it() -> None:
    finding = judge(PLAIN.replace("exec crun", "crun"))
    assert set(finding.lines) == set(PLAIN.splitlines())


def test_systemds_socket_is_taken_away() -> None:
    finding = judge(PLAIN, systemd=True)
    assert (finding.level, set(finding.lines)) == ("warning", set(nodes.EXAMPLE))
    assert judge(PLAIN).level == "ok"


@pytest.mark.parametrize(
    ("words", "level"),
    [
        ("exec env --unset=NOTIFY_SOCKET crun", "ok"),
        ("exec env -i PATH=/usr/bin crun", "ok"),
        ("exec env NOTIFY_SOCKET= crun", "warning"),
        ("exec env A=1 crun", "warning"),
    ],
)
def test_ways_to_take_it_away(words: str, level: str) -> None:
    finding = judge(PLAIN.replace("exec crun", words), systemd=True)
    assert finding.level == level, finding
    assert level == "ok" or judge("\n".join(finding.lines), systemd=True).level == "ok"
